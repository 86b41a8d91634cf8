import Foundation
import Literate
import Testing

/// A notebook of `Tests/Notebooks` with temporary folders, which are removed with it.
final class TestNotebook {
  let folder: URL
  let folders: NotebookFolders
  let program: NotebookProgram

  /// - Parameters:
  ///   - name: The name of the notebook.
  ///   - builder: The builder, made for the folder of the package and that of the programs; without
  ///     it the program is the one that was built with the tests.
  init(
    _ name: String = TestNotebook.name,
    builder: ((_ package: URL, _ programs: URL) throws -> ProgramBuilder)? = nil
  ) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "literate-\(UUID())")
    let sources = folder.appending(path: "Notebooks")
    try FileManager.default.createDirectory(
      at: sources.appending(path: name), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Self.source(of: name), to: sources.appending(path: "\(name)/main.swift"))
    try makeOld(sources.appending(path: "\(name)/main.swift"))
    // Programs are built into the folder of the tests.
    let programs = builder == nil ? Self.programs : folder.appending(path: "programs")
    folders = NotebookFolders(
      sources: sources, programs: programs, output: folder.appending(path: "output"),
      command: "my notebooks", builder: try builder?(folder, programs))
    program = try folders.notebook(name)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  static let name = "test-notebook"

  /// The folder of the tests' programs.
  static let programs = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

  private static func source(of name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Notebooks/\(name)/main.swift")
  }

  /// Runs the notebook without recording times.
  @discardableResult
  func run(
    _ parameters: [String] = [], isForced: Bool = true, timeLimit: Double? = 600
  ) throws -> Page.State {
    try program.run(
      options(parameters, isForced: isForced, timeLimit: timeLimit), on: Console(isQuiet: true))
  }

  func options(
    _ parameters: [String], isForced: Bool = true, timeLimit: Double? = 600
  ) -> NotebookProgram.Options {
    var options = NotebookProgram.Options(parameters: parameters)
    options.isForced = isForced
    options.recordsTimes = false
    options.timeLimit = timeLimit
    return options
  }

  /// The page of the last run.
  var page: Page {
    get throws {
      try JSONDecoder().decode(
        Page.self, from: Data(contentsOf: program.folder.appending(path: "page.json")))
    }
  }

  /// All files of the last run, and those in the folders below.
  var files: [String: Data] {
    get throws {
      let path = program.folder.path(percentEncoded: false)
      var files: [String: Data] = [:]
      for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
        let file = program.folder.appending(path: name)
        if try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
          files[name] = try Data(contentsOf: file)
        }
      }
      return files
    }
  }

  /// Edits the source.
  func edit(_ text: String, to replacement: String) throws {
    let source = try String(contentsOf: program.file, encoding: .utf8)
    try #require(source.contains(text))
    try source.replacing(text, with: replacement)
      .write(to: program.file, atomically: true, encoding: .utf8)
    try makeOld(program.file)
  }

  /// The number of the line with a prefix, counted from 1.
  func line(_ start: String) throws -> Int {
    let source = try String(contentsOf: program.file, encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    return try #require(lines.firstIndex { $0.hasPrefix(start) }) + 1
  }
}

/// Makes a file older than the programs, so that they are not considered outdated.
private func makeOld(_ file: URL) throws {
  try FileManager.default.setAttributes(
    [.modificationDate: Date(timeIntervalSince1970: 0)],
    ofItemAtPath: file.path(percentEncoded: false))
}
