import Foundation
import Plot

/// The results of an accepted run, in `Notebooks/NAME/expected`.
///
/// | File | |
/// | --- | --- |
/// | `parameters.txt` | the parameters of the run, one `name=value` per line |
/// | `CELL.txt` | the standard output of a cell |
/// | `FIGURE.png` | a figure |
struct ExpectedFolder {
  let url: URL

  private var parametersFile: URL { url.appending(path: "parameters.txt") }

  /// The parameters of the accepted run; `nil` if no run was accepted.
  var parameters: [String]? {
    let text = try? String(contentsOf: parametersFile, encoding: .utf8)
    return text.map { withUnixLineEnds($0).split(separator: "\n").map(String.init) }
  }

  /// Replaces the accepted results.
  ///
  /// - Parameters:
  ///   - results: The results of the run.
  ///   - parameters: The parameters of the run.
  ///   - figures: The folder with the figures of the run.
  /// - Throws: An error if a file cannot be read or written.
  func store(_ results: [CellResult], parameters: [String], figures: URL) throws {
    let part = url.deletingLastPathComponent().appending(path: ".expected-\(UUID())")
    defer { try? FileManager.default.removeItem(at: part) }
    let list = parameters.map { "\($0)\n" }.joined()
    try writeFile(list, to: part.appending(path: parametersFile.lastPathComponent))
    for result in results {
      if !result.text.isEmpty {
        try writeFile(result.text, to: part.appending(path: "\(result.id).txt"))
      }
      for figure in result.figures {
        let bytes = try Data(contentsOf: figures.appending(path: figure))
        try writeFile(Array(bytes), to: part.appending(path: figure).path(percentEncoded: false))
      }
    }
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let (earlier, new) = (try files(in: url), try files(in: part))
    for name in new {
      let paths = [part, url].map { $0.appending(path: name).path(percentEncoded: false) }
      guard rename(paths[0], paths[1]) == 0 else {
        throw NotebookError("cannot write \(paths[1]): \(String(cString: strerror(errno)))")
      }
    }
    for name in earlier where !new.contains(name) {
      unlink(url.appending(path: name).path(percentEncoded: false))
    }
  }

  /// The names of the results in a folder; other files in it are the reader's.
  private func files(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
      .filter { name in
        var status = stat()
        let path = folder.appending(path: name).path(percentEncoded: false)
        return [".txt", ".png"].contains { name.hasSuffix($0) } && lstat(path, &status) == 0
          && status.st_mode & S_IFMT != S_IFDIR
      }
  }

  /// The differences from the accepted results, one line each.
  ///
  /// - Parameters:
  ///   - results: The results of the run.
  ///   - figures: The folder with the figures of the run; comparison figures are written there too.
  ///   - pictures: The names of the comparison figures.
  /// - Throws: An error if a file cannot be read or written.
  func differences(
    of results: [CellResult], figures: URL, pictures: inout [String]
  ) throws -> [String] {
    let all = Set(try files(in: url)).subtracting([parametersFile.lastPathComponent])
    var left = all
    var differences: [String] = []
    for result in results {
      let textFile = "\(result.id).txt"
      let expected =
        left.remove(textFile) == nil
        ? "" : try String(contentsOf: url.appending(path: textFile), encoding: .utf8)
      let comparison = TextComparison(
        tolerance: result.tolerance, ignoring: result.ignoring)
      differences += comparison.differences(expected: expected, actual: result.text)
        .map { "“\(result.title)”, \($0)" }
      for figure in result.figures {
        left.remove(figure)
        // A later figure may have the name of an earlier one.
        let difference =
          !all.contains(figure)
          ? "is not among the accepted figures"
          : try compare(figure, in: figures, tolerance: result.tolerance, pictures: &pictures)
        if let difference {
          differences.append("“\(result.title)”, \(figure): \(difference)")
        }
      }
    }
    return differences + left.sorted().map { "expected \($0), which the run did not produce" }
  }

  private func compare(
    _ name: String, in figures: URL, tolerance: Tolerance, pictures: inout [String]
  ) throws -> String? {
    let files = [url, figures].map { $0.appending(path: name) }
    let comparison = try FigureComparison(
      expected: Array(try Data(contentsOf: files[0])),
      actual: Array(try Data(contentsOf: files[1])), name: name)
    guard let difference = comparison.difference(tolerance) else { return nil }
    let stem = files[1].deletingPathExtension().lastPathComponent
    let picture = figures.appending(path: "\(stem)-compared.png")
    try comparison.sideBySide.save(to: picture.path(percentEncoded: false))
    pictures.append(picture.lastPathComponent)
    return "\(difference); see \(picture.relativePath)"
  }
}

/// The results of a cell that a check compares: its standard output and its figures.
struct CellResult {
  let id: String
  let title: String
  /// The standard output, and the error of a cell that is expected to fail. Standard error, which has
  /// progress and notices, is not compared.
  let text: String
  /// The file names of the figures.
  let figures: [String]
  let tolerance: Tolerance
  let ignoring: [String]

  /// The results of the cells that ran.
  ///
  /// - Parameters:
  ///   - page: The page of the run.
  ///   - events: The events of the run, which include the tolerances.
  static func all(of page: Page, _ events: [Event]) -> [CellResult] {
    var openings: [String: Event.Opening] = [:]
    for case .cell(let opening) in events { openings[opening.title] = opening }
    return page.cells.filter { $0.state != .notRun }.map { cell in
      CellResult(cell, opening: openings[cell.title])
    }
  }

  private init(_ cell: Page.Cell, opening: Event.Opening?) {
    (id, title) = (cell.id, cell.title)
    var text = cell.outputs.reduce("") { text, output in
      switch output {
      case .text(let next, .standardOutput): text + next
      case .check(let check): text + check.text(in: .english) + "\n"
      default: text
      }
    }
    if case .failedAsExpected(let message) = cell.state { text += "Error: \(message)\n" }
    self.text = text
    figures = cell.outputs.compactMap { output in
      if case .figure(let figure) = output { figure.file } else { nil }
    }
    tolerance = opening?.tolerance ?? .exact
    ignoring = opening?.ignoring ?? []
  }
}
