import Foundation
import Plot

/// What an accepted run gave, in `Notebooks/NAME/expected`.
///
/// | File | |
/// | --- | --- |
/// | `parameters.txt` | the run's parameters, `name=value` a line |
/// | `CELL.txt` | what the cell printed |
/// | `FIGURE.png` | a figure |
struct ExpectedFolder {
  let url: URL

  private var parametersFile: URL { url.appending(path: "parameters.txt") }

  /// The accepted run's parameters; nil if no run was accepted.
  var parameters: [String]? {
    let text = try? String(contentsOf: parametersFile, encoding: .utf8)
    return text?.split(separator: "\n").map(String.init)
  }

  /// Stores results in place of those that were accepted before.
  ///
  /// - Parameters:
  ///   - results: What the run gave.
  ///   - parameters: The run's parameters.
  ///   - figures: The folder that has the figures.
  /// - Throws: When a file cannot be read or written.
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
    if FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) {
      try FileManager.default.removeItem(at: url)
    }
    try FileManager.default.moveItem(at: part, to: url)
  }

  /// What differs from the accepted results.
  ///
  /// - Parameters:
  ///   - results: What the run gave.
  ///   - figures: The folder that has the run's figures; pictures of differences go there too.
  /// - Throws: When a file cannot be read or written.
  func complaints(about results: [CellResult], figures: URL) throws -> [String] {
    let all = Set(
      try FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))
    ).subtracting([parametersFile.lastPathComponent])
    var left = all
    var complaints: [String] = []
    for result in results {
      let textFile = "\(result.id).txt"
      let expected =
        left.remove(textFile) == nil
        ? "" : try String(contentsOf: url.appending(path: textFile), encoding: .utf8)
      let comparison = TextComparison(
        tolerance: result.tolerance, ignoring: result.ignoring)
      complaints += comparison.complaints(expected: expected, actual: result.text)
        .map { "“\(result.title)”, \($0)" }
      for figure in result.figures {
        left.remove(figure)
        // A figure may be shown again under the name of an earlier one.
        let complaint =
          !all.contains(figure)
          ? "is not expected"
          : try compare(figure, in: figures, tolerance: result.tolerance.pixels)
        if let complaint { complaints.append("“\(result.title)”, \(figure): \(complaint)") }
      }
    }
    return complaints + left.sorted().map { "expected \($0), which the run did not give" }
  }

  private func compare(_ name: String, in figures: URL, tolerance: Double) throws -> String? {
    let files = [url, figures].map { $0.appending(path: name) }
    let comparison = try FigureComparison(
      expected: Array(try Data(contentsOf: files[0])),
      actual: Array(try Data(contentsOf: files[1])), name: name)
    guard let complaint = comparison.complaint(tolerance: tolerance) else { return nil }
    let stem = files[1].deletingPathExtension().lastPathComponent
    let picture = figures.appending(path: "\(stem)-compared.png")
    try comparison.sideBySide.save(to: picture.path(percentEncoded: false))
    return "\(complaint); see \(picture.relativePath)"
  }
}
