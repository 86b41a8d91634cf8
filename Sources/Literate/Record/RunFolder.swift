import Foundation
import Plot

/// The files of a notebook's run beside its pages.
///
/// | File | |
/// | --- | --- |
/// | `events.jsonl` | what happened, an event a line, written as it happens |
/// | `page.json` | the page, as data |
/// | `fingerprint.json` | what the results depend on; only there if the run passed |
struct RunFolder {
  let url: URL

  init(_ url: URL) {
    self.url = url
  }

  var log: URL { url.appending(path: "events.jsonl") }
  private var pageFile: URL { url.appending(path: "page.json") }
  private var fingerprintFile: URL { url.appending(path: "fingerprint.json") }

  /// The events of the last run.
  ///
  /// - Throws: When there is no record, or it cannot be read.
  var events: [Event] {
    get throws {
      let text = try String(contentsOf: log, encoding: .utf8)
      return try text.split(separator: "\n").map { try Event(line: $0) }
    }
  }

  /// The page of the last run.
  ///
  /// - Throws: When there is none, or it cannot be read.
  var page: Page {
    get throws { try JSONDecoder().decode(Page.self, from: Data(contentsOf: pageFile)) }
  }

  /// What the results depend on, if the last run passed.
  var fingerprint: Fingerprint? {
    try? JSONDecoder().decode(Fingerprint.self, from: Data(contentsOf: fingerprintFile))
  }

  /// Takes away what an earlier run left, but for files that are none of the runner's.
  ///
  /// - Throws: When the folder cannot be made.
  func clear() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let names = try FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))
    for name in names {
      let isOurs = ["html", "md", "ipynb", "png", "json", "jsonl"].contains(
        URL(filePath: name).pathExtension)
      if isOurs { try? FileManager.default.removeItem(at: url.appending(path: name)) }
    }
  }

  /// Writes the page in all its forms.
  ///
  /// - Throws: When a file cannot be written.
  func write(_ page: Page) throws {
    try writeFile(try jsonText(of: page), to: pageFile)
    try PageWriter(page).write(to: url)
  }

  /// Writes what the results depend on.
  ///
  /// - Throws: When the file cannot be written.
  func write(_ fingerprint: Fingerprint) throws {
    try writeFile(try jsonText(of: fingerprint), to: fingerprintFile)
  }
}
