import Literate

/// The HTML file of a live page: the page as it is now, and the script that keeps it up to date.
struct LiveDocument {
  let text: String

  init(_ live: LiveNotebook) {
    let document = live.document()
    let html: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(document.title)</title>
      <link rel="icon" href="data:,">
      <link rel="stylesheet" href="style.css">
      <script src="live.js" defer></script>
      </head>
      <body class="live" data-since="\(document.number)" data-state="\(document.stateLine)">
      <a class="skip" href="#cells">Skip to the notebook</a>
      <div class="live-bar" id="bar" role="region" aria-label="Controls">
      <div class="live-state" role="status"><span class="dot" aria-hidden="true"></span>\
      <a id="state"></a><span id="clock"></span></div>
      <div class="live-buttons">
      <button type="button" data-action="nextCell" title="Run the next cell (Shift+Enter)">\
      Next cell</button>
      <button type="button" data-action="runAll">Run all</button>
      <button type="button" data-action="stop" class="plain">Stop</button>
      </div>
      <p id="notice" role="alert" hidden></p>
      <div class="live-progress" aria-hidden="true"><span id="done"></span></div>
      </div>
      <div class="page with-contents" id="page">
      \(document.html)
      </div>
      <noscript><p class="banner">This page needs JavaScript to stay up to date. The page in the \
      output folder does not.</p></noscript>
      </body>
      </html>

      """
    text = html.text
  }
}
