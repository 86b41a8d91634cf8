import Foundation
import Plot

/// The folder of a notebook's run, with these files beside the pages.
///
/// | File | |
/// | --- | --- |
/// | `events.jsonl` | the events, one per line, written as they happen |
/// | `page.json` | the page as data |
/// | `fingerprint.json` | what the results depend on; written only if the run passed |
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
  /// - Throws: An error if there is no log, or it cannot be read.
  var events: [Event] {
    get throws {
      let text = try String(contentsOf: log, encoding: .utf8)
      return try text.split(separator: "\n").map { try Event(line: $0) }
    }
  }

  /// The page of the last run.
  ///
  /// - Throws: An error if there is none, or it cannot be read.
  var page: Page {
    get throws { try JSONDecoder().decode(Page.self, from: Data(contentsOf: pageFile)) }
  }

  /// The fingerprint of the last run; `nil` if it did not pass.
  var fingerprint: Fingerprint? {
    try? JSONDecoder().decode(Fingerprint.self, from: Data(contentsOf: fingerprintFile))
  }

  /// Removes the files of an earlier run; other files are kept.
  ///
  /// - Throws: An error if the folder cannot be created.
  func clear() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let names = try FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))
    for name in names {
      let isOurs = ["html", "md", "ipynb", "png", "json", "jsonl"].contains(
        URL(filePath: name).pathExtension)
      if isOurs { try? FileManager.default.removeItem(at: url.appending(path: name)) }
    }
  }

  /// Writes the page in all formats.
  ///
  /// - Throws: An error if a file cannot be written.
  func write(_ page: Page) throws {
    try writeFile(try jsonText(of: page), to: pageFile)
    try PageWriter(page).write(to: url)
  }

  /// Writes the fingerprint.
  ///
  /// - Throws: An error if the file cannot be written.
  func write(_ fingerprint: Fingerprint) throws {
    try writeFile(try jsonText(of: fingerprint), to: fingerprintFile)
  }
}
