import Foundation
import LabTensors

/// A folder of files that the program makes once, and `contents.json`, written last, that says what
/// they were made from.
package struct PreparedFolder<Recipe: Codable & Equatable> {
  private struct Contents: Codable {
    let recipe: Recipe
    let sizes: [String: Int]
  }

  /// Where the files are.
  package let url: URL
  /// What they are to be made from; files made from something else are made anew.
  package let recipe: Recipe

  package init(url: URL, recipe: Recipe) {
    self.url = url
    self.recipe = recipe
  }

  private var contents: URL { url.appending(path: "contents.json") }

  /// What `load` makes of the files; `make` writes them first, if they are not there, made from
  /// something else, cannot be loaded, or have other sizes than when they were made.
  ///
  /// Two processes may ask at once: one makes the files, the other one waits.
  ///
  /// - Parameters:
  ///   - name: What the files are, for messages.
  ///   - report: Called with each line for the user.
  ///   - load: Opens the files.
  ///   - sizes: How large the parts of the result are, by name.
  ///   - make: Writes the files.
  /// - Throws: ``DataError`` if the folder cannot be written, or what `make` throws.
  package func prepare<Result>(
    _ name: String, report: (String) -> Void, load: () throws -> Result,
    sizes: (Result) -> [String: Int], make: () throws -> Void
  ) throws -> Result {
    func complete() -> Result? {
      guard let recorded = recordedSizes, let result = try? load(), recorded == sizes(result)
      else { return nil }
      return result
    }
    if let result = complete() { return result }
    return try FileLock.hold(
      url.appending(path: ".lock"),
      onWait: { report("waiting for another process that is preparing \(name)") }
    ) {
      if let result = complete() { return result }
      // Without its contents file, a half-remade folder counts as empty.
      try? FileManager.default.removeItem(at: contents)
      try make()
      let result = try load()
      try record(sizes(result))
      return result
    }
  }

  /// The sizes that the contents file states; nil unless the files were made from ``recipe``.
  private var recordedSizes: [String: Int]? {
    guard let json = try? Data(contentsOf: contents),
      let found = try? JSONDecoder().decode(Contents.self, from: json), found.recipe == recipe
    else { return nil }
    return found.sizes
  }

  private func record(_ sizes: [String: Int]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let json = try encoder.encode(Contents(recipe: recipe, sizes: sizes))
    try writeWhole(to: contents) { try $0.write(contentsOf: json) }
  }
}
