import Foundation
import Plot

/// The folder of a notebook's run, with these files beside the pages and the figures.
///
/// | File | |
/// | --- | --- |
/// | `events.jsonl` | the events, one per line, written as they happen |
/// | `page.json`, `page.ko.json` | the page as data, in each language |
/// | `fingerprint.json` | what the results depend on; written only if the run passed |
/// | `record.json` | which files the run wrote, and which code it ran |
/// | `last-passed/` | the last run that passed, if the run after it did not |
///
/// Files of other names belong to the reader and are left alone.
struct RunFolder {
  let url: URL

  init(_ url: URL) {
    self.url = url
  }

  static let logName = "events.jsonl"
  static let pageName = "page.json"
  static let fingerprintName = "fingerprint.json"
  static let recordName = "record.json"
  static let lastPassedName = "last-passed"

  var log: URL { url.appending(path: Self.logName) }
  private var pageFile: URL { url.appending(path: Self.pageName) }
  private var fingerprintFile: URL { url.appending(path: Self.fingerprintName) }
  private var recordFile: URL { url.appending(path: Self.recordName) }

  /// The folder of the last run that passed.
  var lastPassed: RunFolder {
    RunFolder(url.appending(path: Self.lastPassedName, directoryHint: .isDirectory))
  }

  /// Whether the run in this folder passed.
  var hasPassed: Bool { (try? page.state) == .passed }

  /// The events of the last run.
  ///
  /// - Throws: An error if there is no log, or it cannot be read.
  var events: [Event] {
    get throws {
      guard let data = regularFile(log) else { throw CocoaError(.fileReadNoSuchFile) }
      return try Event.all(in: data)
    }
  }

  /// The page of the last run.
  ///
  /// - Throws: An error if there is none, or it cannot be read.
  var page: Page {
    get throws {
      guard let data = regularFile(pageFile) else { throw CocoaError(.fileReadNoSuchFile) }
      return try JSONDecoder().decode(Page.self, from: data)
    }
  }

  /// The fingerprint of the last run; `nil` if it did not pass.
  var fingerprint: Fingerprint? {
    regularFile(fingerprintFile).flatMap { try? JSONDecoder().decode(Fingerprint.self, from: $0) }
  }

  /// The record of the last run. For a run of an older version, which wrote none, it is made from the
  /// names of the pages and of the figures that the log or the page names.
  var record: RunRecord {
    if let data = regularFile(recordFile),
      let record = try? JSONDecoder().decode(RunRecord.self, from: data)
    {
      return RunRecord(
        files: record.files.filter(isPathInside), code: record.code, lines: record.lines)
    }
    let (events, page) = (try? events, try? page)
    guard events != nil || page != nil else { return RunRecord(files: []) }
    let figures =
      (events ?? []).compactMap { event in
        if case .figure(let figure) = event { figure.file } else { nil }
      }
      + (page?.cells.flatMap(\.outputs) ?? []).compactMap { output in
        if case .figure(let figure) = output { figure.file } else { nil }
      }
    let name = url.lastPathComponent
    let pages = ["index.html", "\(name).md", "\(name).ipynb", ".reserve"]
    let names = [Self.logName, Self.pageName, Self.fingerprintName] + pages
    return RunRecord(
      files: Set(names + figures.filter(isFileName)).sorted(), code: fingerprint?.code)
  }

  /// The pages of the last run in other languages.
  var translations: [Language: Page] {
    let pages = Language.translations.compactMap { language -> (Language, Page)? in
      guard let data = regularFile(url.appending(path: Self.pageFile(in: language))),
        let page = try? JSONDecoder().decode(Page.self, from: data)
      else { return nil }
      return (language, page)
    }
    return Dictionary(pages) { first, _ in first }
  }

  /// The languages of the last run's page.
  var languages: Set<Language> { Set([.english] + translations.keys) }

  /// The HTML page in a language; the English one if there is none.
  func index(in language: Language) -> URL {
    url.appending(path: (languages.contains(language) ? language : .english).indexFile)
  }

  private static func pageFile(in language: Language) -> String {
    language.file("page", "json")
  }

  /// Writes the page in all formats and languages.
  ///
  /// - Parameters:
  ///   - page: The page.
  ///   - translations: The page in other languages.
  ///   - place: Where the page is, which decides its links.
  /// - Throws: An error if a file cannot be written.
  func write(_ page: Page, _ translations: [Language: Page], as place: PagePlace) throws {
    try writeFile(try jsonText(of: page), to: pageFile)
    let languages = Language.allCases.filter { $0 == .english || translations[$0] != nil }
    for language in languages {
      var shown = page
      if let translated = translations[language] {
        try writeFile(
          try jsonText(of: translated), to: url.appending(path: Self.pageFile(in: language)))
        shown = translated
      }
      try PageWriter(shown, place: place.of(language, among: languages)).write(to: url)
    }
  }

  /// Writes the page of a run that has ended again. Its record gets the files of new translations, and
  /// those of translations that are gone are removed.
  ///
  /// - Throws: An error if a file cannot be written.
  func rewrite(_ page: Page, _ translations: [Language: Page], as place: PagePlace) throws {
    func files(_ language: Language) -> [String] {
      [
        Self.pageFile(in: language), language.indexFile, language.file(page.name, "md"),
        language.file(page.name, "ipynb"),
      ]
    }
    let new = translations.keys.flatMap(files)
    var record = record
    let gone = Language.translations.flatMap(files).filter {
      !new.contains($0) && record.files.contains($0)
    }
    if !Set(new).isSubset(of: record.files) { try addToRecord(new) }
    try write(page, translations, as: place)
    guard !gone.isEmpty else { return }
    for file in gone { unlink(url.appending(path: file).path(percentEncoded: false)) }
    record.files = Set(record.files + new).subtracting(gone).sorted()
    try write(record)
  }

  /// Writes the fingerprint.
  ///
  /// - Throws: An error if the file cannot be written.
  func write(_ fingerprint: Fingerprint) throws {
    try writeFile(try jsonText(of: fingerprint), to: fingerprintFile)
  }

  /// Writes the record.
  ///
  /// - Throws: An error if the file cannot be written.
  func write(_ record: RunRecord) throws {
    try writeFile(try jsonText(of: record), to: recordFile)
  }

  /// Adds a file to the record.
  ///
  /// - Throws: An error if the record cannot be written.
  func addToRecord(_ names: [String]) throws {
    var record = record
    record.files = Set(record.files + names).sorted()
    try write(record)
  }
}

extension Event {
  /// The events of a log. Its lines may end as on Windows, if a program there has saved it.
  ///
  /// - Throws: The decoder's error.
  package static func all(in log: Data) throws -> [Event] {
    let lines = log.split(separator: 0x0A)
      .map { $0.last == 0x0D ? $0.dropLast() : $0 }.filter { !$0.isEmpty }
    // One array is decoded several times faster than its lines.
    var array = Data("[".utf8)
    array.reserveCapacity(log.count + 2)
    for line in lines {
      if array.count > 1 { array.append(0x2C) }
      array += line
    }
    array += Data("]".utf8)
    return try JSONDecoder().decode([Event].self, from: array)
  }
}
