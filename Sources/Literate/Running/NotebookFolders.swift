import Foundation

/// The notebooks of a package: where their sources, their programs and their pages are.
public struct NotebookFolders: Sendable {
  /// Has `NAME/main.swift` of each notebook, and what `check` expects.
  public let sources: URL
  /// Has the programs.
  public let programs: URL
  /// Has `NAME/index.html` of each notebook, and the gallery.
  public let output: URL

  public init(sources: URL, programs: URL, output: URL) {
    self.sources = sources
    self.programs = programs
    self.output = output
  }

  /// The notebooks of the package that a program is built from: the folder `Notebooks` here or in a
  /// folder above, or above the program itself.
  ///
  /// - Parameters:
  ///   - program: A program that lies beside the notebooks' programs.
  ///   - output: Where pages go.
  /// - Throws: ``NotebookError`` if there is no such folder.
  public init(beside program: URL, output: URL) throws {
    let here = URL(filePath: FileManager.default.currentDirectoryPath)
    let program = program.resolvingSymlinksInPath()
    let places = [here, program.deletingLastPathComponent()].flatMap(Self.parents)
      .map { $0.appending(path: "Notebooks") }
    guard let sources = places.first(where: { !Self.names(in: $0).isEmpty }) else {
      throw NotebookError(
        "expected a folder Notebooks in \(here.path(percentEncoded: false)) or above, found none; "
          + "run lab in the package's folder")
    }
    self.init(sources: sources, programs: program.deletingLastPathComponent(), output: output)
  }

  /// All notebooks, in the order of their names.
  public var all: [NotebookProgram] {
    Self.names(in: sources).map { NotebookProgram(name: $0, folders: self) }
  }

  /// The notebook of a name, or of what a name begins with, such as `01`.
  ///
  /// - Throws: ``NotebookError`` if there is none, or if there are several.
  public func notebook(_ text: String) throws -> NotebookProgram {
    let names = all.map(\.name)
    let found = names.contains(text) ? [text] : names.filter { $0.hasPrefix(text) }
    guard let name = found.first, found.count == 1 else {
      let list = (found.isEmpty ? names : found).joined(separator: ", ")
      throw NotebookError(
        found.isEmpty
          ? "expected a notebook's name or its beginning, got \(text); there are: \(list)"
          : "\(text) is the beginning of several notebooks' names: \(list)")
    }
    return NotebookProgram(name: name, folders: self)
  }

  /// Writes the gallery of all notebooks that have a page.
  ///
  /// - Returns: The gallery's file.
  /// - Throws: When it cannot be written.
  @discardableResult
  public func writeGallery() throws -> URL {
    let pages = all.compactMap { try? RunFolder($0.folder).page }
    try GalleryWriter(pages).write(to: output)
    return output.appending(path: "index.html")
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
