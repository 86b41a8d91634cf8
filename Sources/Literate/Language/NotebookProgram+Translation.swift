import Foundation
import Plot

extension NotebookProgram {
  /// The file with the translation into a language, such as `main.ko.md` beside `main.swift`.
  func translationFile(in language: Language) -> URL {
    file.deletingLastPathComponent().appending(path: language.file("main", "md"))
  }

  /// Whether there is a translation into a language.
  package func isTranslated(into language: Language) -> Bool {
    FileManager.default.fileExists(
      atPath: translationFile(in: language).path(percentEncoded: false))
  }

  /// The translation of a source; `nil` in English, or if there is no file.
  ///
  /// - Throws: ``NotebookError`` if the file cannot be read.
  package func translation(
    of source: NotebookSource, into language: Language
  ) throws -> Translation? {
    guard language != .english, isTranslated(into: language) else { return nil }
    let file = try TranslationFile(at: translationFile(in: language), named: path(in: language))
    return Translation(file, in: language, of: source)
  }

  /// The translations of a source. A file that cannot be read is reported: its page is missing then.
  func translations(
    of source: NotebookSource, onWarning: (String) -> Void
  ) -> [Translation] {
    Language.translations.compactMap { language in
      do {
        return try translation(of: source, into: language)
      } catch {
        onWarning("\(error)")
        return nil
      }
    }
  }

  /// The texts of all translations.
  var translationTexts: [String] {
    Language.translations.map {
      (try? String(contentsOf: translationFile(in: $0), encoding: .utf8)) ?? ""
    }
  }

  /// The title in a language; the English one if it has no translation.
  public func title(in language: Language) -> String {
    translatedTitle(in: language) ?? title
  }

  /// The title in another language than English; `nil` if there is no translation.
  func translatedTitle(in language: Language) -> String? {
    guard let source = try? source() else { return nil }
    return (try? translation(of: source, into: language))?.source(source).title
  }

  /// The page in a language; the English one if there is none.
  public func page(in language: Language) -> URL {
    RunFolder(folder).index(in: language)
  }

  /// The page of the last run in another language than English, or of a run that has not been;
  /// `nil` if there is none.
  func pageOrProse(in language: Language) -> Page? {
    let folder = RunFolder(folder)
    if (try? folder.page) != nil {
      var page = folder.translations[language]
      page?.name = name
      return page
    }
    guard let source = try? source(), let translation = try? translation(of: source, into: language)
    else { return nil }
    return Page(name, translation.source(source), [])
  }

  /// The path of the translation, as messages name it.
  private func path(in language: Language) -> String {
    let (folder, file) = (folders.sources.lastPathComponent, translationFile(in: language))
    return "\(folder)/\(name)/\(file.lastPathComponent)"
  }

  private var sourcePath: String { "\(folders.sources.lastPathComponent)/\(name)/main.swift" }

  /// What is missing or out of date in the translations that the notebook has, one line each.
  ///
  /// - Throws: ``NotebookError`` if a file cannot be read.
  public func translationProblems() throws -> [String] {
    let source = try source()
    return try Language.translations.filter(isTranslated(into:)).flatMap { language in
      let path = path(in: language)
      let file = try TranslationFile(at: translationFile(in: language), named: path)
      return file.problems(
        for: source.originalPieces, of: sourcePath, named: path,
        command: "\(folders.command) translate \(name)")
    }
  }

  /// Writes or updates the translation: adds what is missing in English, and marks what has changed.
  ///
  /// - Parameters:
  ///   - language: The language.
  ///   - renewed: The checksums of pieces whose translation is right as it is; `all` stands for all that
  ///     have changed.
  /// - Returns: What was done.
  /// - Throws: ``NotebookError`` if a file cannot be read, or if there is no such piece.
  public func updateTranslation(
    into language: Language, renewed: [String] = []
  ) throws -> TranslationUpdate {
    let path = path(in: language)
    let head = """
      <!-- The prose of main.swift in \(language == .korean ? "Korean" : language.rawValue). The English \
      in main.swift is the original; the comments here have its checksums. See: \(folders.command) \
      translate --help -->
      """
    return try TranslationUpdate(
      of: try source().originalPieces, in: translationFile(in: language), named: path, head: head,
      renewed: renewed)
  }
}

/// What an update of a translation has done.
public struct TranslationUpdate: Sendable {
  /// The path of the file.
  public let path: String
  /// The number of pieces of the original, and of those that are to be translated or revised.
  public let (count, untranslated, changed): (Int, Int, Int)
  /// The number of translations whose original is gone.
  public let gone: Int

  /// Updates the file, or writes it if there is none.
  init(
    of pieces: [OriginalPiece], in file: URL, named path: String, head: String, renewed: [String]
  ) throws {
    let isThere = FileManager.default.fileExists(atPath: file.path(percentEncoded: false))
    let before =
      isThere
      ? try TranslationFile(at: file, named: path) : TranslationFile(head: head, entries: [])
    let known = Set(pieces.map(\.hash))
    for hash in renewed where hash != "all" && !known.contains(hash) {
      throw NotebookError(
        "--renew: expected the checksum of the English of now or all, got \(plainText(hash))")
    }
    let after = before.updated(for: pieces, renewed: Set(renewed))
    if after.text != before.text || !isThere { try writeFile(after.text, to: file) }
    self.path = path
    count = pieces.count
    untranslated = after.entries.count { $0.isUntouched }
    changed = after.entries.count { if case .changed = $0.state { true } else { false } }
    gone = after.entries.count { $0.state == .gone }
  }
}

extension TranslationFile {
  /// Reads a file.
  ///
  /// - Throws: ``NotebookError`` if it cannot be read, or a comment in it is damaged.
  init(at file: URL, named name: String) throws {
    guard let data = try? Data(contentsOf: file) else {
      throw NotebookError("cannot read \(name)")
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw NotebookError("\(name): expected text in UTF-8, found other bytes; save it as UTF-8")
    }
    try self.init(text, named: name)
  }
}

/// A document of the package with translations by sections, such as `README.md` with `README.ko.md`.
public struct TranslatedDocument: Sendable {
  private let file: URL
  private let language: Language
  private let command: String

  /// The translations of the package's README, if it has any.
  public static func all(of folders: NotebookFolders) -> [TranslatedDocument] {
    Language.translations.map {
      TranslatedDocument(
        file: folders.package.appending(path: "README.md"), language: $0,
        command: "\(folders.command) translate")
    }.filter(\.isTranslated)
  }

  /// The README of a package in a language.
  public init(readmeOf folders: NotebookFolders, in language: Language) {
    self.init(
      file: folders.package.appending(path: "README.md"), language: language,
      command: "\(folders.command) translate")
  }

  private init(file: URL, language: Language, command: String) {
    (self.file, self.language, self.command) = (file, language, command)
  }

  private var original: String { file.lastPathComponent }

  /// The name of the translation's file.
  public var name: String { translation.lastPathComponent }

  private var translation: URL {
    file.deletingLastPathComponent().appending(
      path: language.file(file.deletingPathExtension().lastPathComponent, "md"))
  }

  private var isTranslated: Bool {
    FileManager.default.fileExists(atPath: translation.path(percentEncoded: false))
  }

  private var pieces: [OriginalPiece] {
    get throws {
      guard let text = try? String(contentsOf: file, encoding: .utf8) else {
        throw NotebookError("cannot read \(original)")
      }
      return sections(of: text)
    }
  }

  /// What is missing or out of date, one line each.
  ///
  /// - Throws: ``NotebookError`` if a file cannot be read.
  public func problems() throws -> [String] {
    try TranslationFile(at: translation, named: name).problems(
      for: pieces, of: original, named: name, command: "\(command) --readme")
  }

  /// Writes or updates the translation.
  ///
  /// - Parameter renewed: As for a notebook's translation.
  /// - Throws: ``NotebookError`` if a file cannot be read, or if there is no such section.
  public func update(renewed: [String]) throws -> TranslationUpdate {
    try TranslationUpdate(
      of: pieces, in: translation, named: name, head: "", renewed: renewed)
  }
}
