import Literate

/// The page that a browser loads: what is shown now, and the script that keeps it up to date.
///
/// - Parameters:
///   - title: The title of the notebook.
///   - contents: The fragments of the page.
///   - state: The message with the state line, in JSON.
///   - number: The number of the last message that is part of the page.
func livePage(title: String, _ contents: HTML, state: String, number: Int) -> String {
  let page: HTML = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(title)</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="page.css">
    <link rel="stylesheet" href="live.css">
    <script src="live.js" defer></script>
    </head>
    <body data-since="\(number)" data-state="\(state)">
    <a class="skip" href="#cells">Skip to the notebook</a>
    <div class="bar" role="toolbar" aria-label="Run">
    <p class="state" role="status" aria-live="polite"><span class="label"></span>
    <a class="what" href="#cells"></a> <span class="clock"></span></p>
    <progress class="cells" value="0" max="1" aria-label="Cells that have run"></progress>
    <div class="buttons">
    <button type="button" data-action="nextCell" title="Run the next cell, then wait (n)">Next cell</button>
    <button type="button" data-action="runAll" title="Run all cells (a)">Run all</button>
    <button type="button" data-action="stop" title="Stop what runs (s)">Stop</button>
    </div>
    </div>
    <p class="message" role="alert" hidden></p>
    <div class="page with-contents live" id="notebook">
    \(contents)
    </div>
    </body>
    </html>

    """
  return page.text
}
