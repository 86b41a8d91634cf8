import Foundation
import Literate

/// The HTML file of a live page: the page as it is now, and the script that keeps it up to date.
struct LiveDocument {
  let text: String

  init(_ live: LiveNotebook) {
    let document = live.document()
    let language = live.language
    let html: HTML = """
      <!DOCTYPE html>
      \(htmlTag(in: language))
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(document.title)</title>
      <link rel="icon" href="data:,">
      <link rel="stylesheet" href="style.css">
      <script src="live.js" defer></script>
      </head>
      <body class="live" data-since="\(document.number)" data-state="\(document.stateLine)" \
      data-words="\(Self.scriptWords(in: language))">
      <a class="skip" href="#cells">\(language[.skipToNotebook])</a>
      <div class="live-bar" id="bar" role="region" aria-label="\(language[.controls])">
      <div class="live-state" role="status"><span class="dot" aria-hidden="true"></span>\
      <a id="state"></a><span id="clock"></span></div>
      <div class="live-buttons">
      <button type="button" data-action="nextCell" title="\(language[.nextCellHint])">\
      \(language[.nextCell])</button>
      <button type="button" data-action="runAll">\(language[.runAll])</button>
      <button type="button" data-action="stop" class="plain">\(language[.stop])</button>
      </div>
      <p id="notice" role="alert" hidden></p>
      <div class="live-progress" aria-hidden="true"><span id="done"></span></div>
      </div>
      <div class="page with-contents" id="page">
      \(document.html)
      </div>
      <noscript><p class="banner">\(language[.needsScript])</p></noscript>
      </body>
      </html>

      """
    text = html.text
  }

  /// The words that the script shows, by the names that it has for them, in JSON.
  private static func scriptWords(in language: Language) -> String {
    let words: [String: Word] = [
      "progress": .progress, "ended": .serverHasEnded, "startAgain": .startAgain,
      "pause": .pauseAfterCell, "nextCell": .nextCell, "lost": .connectionLost,
      "noAnswer": .noAnswer, "copy": .copy, "copied": .copied, "notCopied": .notCopied,
    ]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Texts can always be encoded.
    let json = (try? encoder.encode(words.mapValues { language[$0] })) ?? Data()
    return String(decoding: json, as: UTF8.self)
  }
}
