import Foundation
import Plot

extension NotebookFolders {
  /// Makes the folder of a new notebook with its `main.swift`: whole, or not at all.
  ///
  /// - Parameters:
  ///   - name: The name: letters and digits, and `-` between them.
  ///   - text: The text of the source.
  /// - Returns: The source file.
  /// - Throws: ``NotebookError`` if the name is not valid or taken, or the folder cannot be written.
  package func create(_ name: String, _ text: String) throws -> URL {
    guard name.wholeMatch(of: /[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*/) != nil, name.count <= 64 else {
      throw NotebookError(
        "expected a name of letters and digits with - between them, such as 05-my-notebook, got "
          + plainText(name))
    }
    let folder = sources.appending(path: name, directoryHint: .notDirectory)
    let path = folder.path(percentEncoded: false)
    // Disks may not tell case apart.
    let taken = (try? FileManager.default.contentsOfDirectory(atPath: sources.path)) ?? []
    if let other = taken.first(where: { $0.lowercased() == name.lowercased() }) {
      throw NotebookError(
        "expected the name of a new notebook, got \(name), but there is "
          + "\(sources.lastPathComponent)/\(other); choose another name")
    }
    if isNameOfTarget(name) {
      throw NotebookError(
        "expected the name of a new notebook, got \(name), which is that of a part of the package; "
          + "choose another name")
    }
    let part = sources.appending(path: ".new-\(UUID())")
    do {
      defer { try? FileManager.default.removeItem(at: part) }
      try writeFile(text, to: part.appending(path: "main.swift"))
      guard rename(part.path(percentEncoded: false), path) == 0 else {
        throw NotebookError("cannot write \(path): \(String(cString: strerror(errno)))")
      }
    }
    return folder.appending(path: "main.swift")
  }

  /// Whether the manifest or the compiler has another use for the name: no two targets may have the same.
  private func isNameOfTarget(_ name: String) -> Bool {
    let manifest = sources.deletingLastPathComponent().appending(path: "Package.swift")
    let text = (try? String(contentsOf: manifest, encoding: .utf8)) ?? ""
    let reserved = ["main", "swift", "foundation", "argumentparser", "literate", "plot"]
    return reserved.contains(name.lowercased())
      || text.lowercased().contains("\"\(name.lowercased())\"")
  }
}
