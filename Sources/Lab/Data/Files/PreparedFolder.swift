import Foundation

/// A folder of files that the program makes once, and `contents.json`, written last, that says what
/// they were made from.
package struct PreparedFolder<Recipe: Codable & Equatable> {
  private struct Contents: Codable {
    let recipe: Recipe
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
  /// something else, or cannot be loaded.
  ///
  /// Two processes may ask at once: one makes the files, the other one waits.
  ///
  /// - Parameters:
  ///   - name: What the files are, for messages.
  ///   - report: Called with each line for the user.
  ///   - load: Opens the files.
  ///   - make: Writes the files.
  /// - Throws: ``DataError`` if the folder cannot be written, or what `make` throws.
  package func prepare<Result>(
    _ name: String, report: (String) -> Void, load: () throws -> Result, make: () throws -> Void
  ) throws -> Result {
    if isComplete, let result = try? load() { return result }
    return try FileLock.hold(
      url.appending(path: ".lock"),
      onWait: { report("waiting for another process that is preparing \(name)") }
    ) {
      if isComplete, let result = try? load() { return result }
      // Without its contents file, a half-remade folder counts as empty.
      try? FileManager.default.removeItem(at: contents)
      try make()
      let result = try load()
      try finish()
      return result
    }
  }

  private var isComplete: Bool {
    guard let json = try? Data(contentsOf: contents),
      let found = try? JSONDecoder().decode(Contents.self, from: json)
    else { return false }
    return found.recipe == recipe
  }

  private func finish() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let json = try encoder.encode(Contents(recipe: recipe))
    try writeWhole(to: contents) { try $0.write(contentsOf: json) }
  }
}
