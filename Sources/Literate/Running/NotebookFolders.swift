import Foundation

/// The notebooks of a package: the folders of their sources, programs and pages.
public struct NotebookFolders: Sendable {
  /// The folder with `NAME/main.swift` and `NAME/expected` of each notebook.
  public let sources: URL
  /// The folder with the programs.
  public let programs: URL
  /// The folder with `NAME/index.html` of each notebook, and the gallery.
  public let output: URL
  /// The command that runs notebooks, such as `lab notebooks`; named in messages.
  public let command: String
  /// The environment variables that results depend on: a change makes earlier runs outdated.
  public let environment: [String: String]
  /// Builds the programs; `nil` if they are built in another way.
  public let builder: ProgramBuilder?

  /// The folder of the package.
  var package: URL { sources.deletingLastPathComponent() }

  /// Whether the notebooks can be built: not where their programs were unpacked from an archive.
  public var hasManifest: Bool {
    FileManager.default.fileExists(
      atPath: package.appending(path: "Package.swift").path(percentEncoded: false))
  }

  /// The folder with the results of earlier runs, a folder for each notebook.
  var cache: URL { output.appending(path: "cache", directoryHint: .isDirectory) }

  public init(
    sources: URL, programs: URL, output: URL, command: String, environment: [String: String] = [:],
    builder: ProgramBuilder? = nil
  ) {
    self.sources = sources
    self.builder = builder
    self.programs = programs
    self.output = output
    self.command = command
    self.environment = environment
  }

  /// The notebooks of the package that a program belongs to: the folder `Notebooks` in the current
  /// directory or above, or above the program.
  ///
  /// - Parameters:
  ///   - program: A program in the folder of the notebooks' programs.
  ///   - output: The folder for pages.
  ///   - command: The command that runs notebooks; named in messages.
  ///   - environment: The environment variables that results depend on.
  /// - Throws: ``NotebookError`` if there is no such folder.
  public init(
    beside program: URL, output: URL, command: String, environment: [String: String] = [:]
  ) throws {
    let here = URL(filePath: FileManager.default.currentDirectoryPath)
    let program = program.resolvingSymlinksInPath()
    let candidates = [here, program.deletingLastPathComponent()].flatMap(Self.parents)
      .map { $0.appending(path: "Notebooks") }
    guard let sources = candidates.first(where: { !Self.names(in: $0).isEmpty }) else {
      throw NotebookError(
        "expected a folder Notebooks in \(here.path(percentEncoded: false)) or above, found none; "
          + "run \(command) in the package's folder")
    }
    let programs = program.deletingLastPathComponent()
    self.init(
      sources: sources, programs: programs, output: output, command: command,
      environment: environment,
      builder: ProgramBuilder(package: sources.deletingLastPathComponent(), programs: programs))
  }

  /// All notebooks, sorted by name.
  public var all: [NotebookProgram] {
    Self.names(in: sources).map { NotebookProgram(name: $0, folders: self) }
  }

  /// The notebook with a name, with a number such as `1` for `01-look-at-emnist`, or with a unique
  /// prefix of a name.
  ///
  /// - Throws: ``NotebookError`` if there is none or several.
  public func notebook(_ text: String) throws -> NotebookProgram {
    let names = all.map(\.name)
    let number = Int(text).map { number in
      names.filter { Int($0.prefix { $0.isASCII && $0.isNumber }) == number }
    }
    let found =
      names.contains(text)
      ? [text] : number.flatMap { $0.isEmpty ? nil : $0 } ?? names.filter { $0.hasPrefix(text) }
    guard let name = found.first, found.count == 1 else {
      let list = (found.isEmpty ? names : found).joined(separator: ", ")
      throw NotebookError(
        found.isEmpty
          ? "expected the name of a notebook or its prefix, got \(plainText(text)); there are: \(list)"
          : "expected a unique prefix, got \(plainText(text)), which several notebooks have: \(list)"
      )
    }
    return NotebookProgram(name: name, folders: self)
  }

  /// Writes the gallery of all notebooks, also of those that were not run yet, in each language in which
  /// there is a page.
  ///
  /// - Parameter language: The language of the file that is returned.
  /// - Returns: The file of the gallery.
  /// - Throws: An error if it cannot be written.
  @discardableResult
  public func writeGallery(in language: Language = .english) throws -> URL {
    var translations: [Language: [String: Page]] = [:]
    let pages = all.compactMap { notebook -> Page? in
      for language in Language.translations {
        translations[language, default: [:]][notebook.name] = notebook.pageOrProse(in: language)
      }
      guard var page = try? RunFolder(notebook.folder).page else {
        return (try? notebook.source()).map { Page(notebook.name, $0, []) }
      }
      // A page that came from elsewhere may have any name, also that of another folder.
      page.name = notebook.name
      return page
    }
    try GalleryWriter(pages, translations: translations, command: command).write(to: output)
    let hasLanguage = translations[language]?.isEmpty == false
    return output.appending(path: (hasLanguage ? language : .english).indexFile)
  }

  private static func names(in folder: URL) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    return (names ?? []).sorted().filter { name in
      let source = folder.appending(path: "\(name)/main.swift")
      return FileManager.default.fileExists(atPath: source.path(percentEncoded: false))
    }
  }

  private static func parents(of folder: URL) -> [URL] {
    var folder = folder.standardizedFileURL
    var parents = [folder]
    while folder.path != "/" {
      folder = folder.deletingLastPathComponent().standardizedFileURL
      parents.append(folder)
    }
    return parents
  }
}
