import Foundation

/// A teacher's package with exercises: which files students get, and what is marked in them.
package struct AssignmentPackage {
  /// The folder with `Package.swift`.
  package let folder: URL
  /// The paths of all files that students get, sorted.
  package let paths: [String]
  /// The files with markers, by path.
  package let marked: [String: MarkedSource]

  /// The file that lists what students get.
  static let listName = ".release"
  /// The folder whose files take the places of the package's own in the students' package.
  static let overlayName = "Students"

  /// - Throws: ``NotebookError`` if the list is missing or wrong, or if markers are.
  package init(_ folder: URL) throws {
    let list = folder.appending(path: Self.listName)
    guard let text = regularFile(list).map({ String(decoding: $0, as: UTF8.self) }) else {
      throw NotebookError(
        "expected the list of the files for students in \(list.path(percentEncoded: false)), found "
          + "none")
    }
    try self.init(folder, list: text)
  }

  /// - Parameters:
  ///   - folder: The folder with `Package.swift`.
  ///   - text: The list of what students get; see ``ReleaseRules``.
  /// - Throws: ``NotebookError`` if the list or the markers are wrong.
  package init(_ folder: URL, list text: String) throws {
    self.folder = folder
    let rules = try ReleaseRules(text, name: Self.listName)
    let all = try Self.files(in: folder, below: rules.included)
    for included in rules.included
    where !all.contains(where: {
      $0 == included || included.hasSuffix("/") && $0.hasPrefix(included)
    }) {
      throw NotebookError("\(Self.listName): there is no \(included)")
    }
    paths = all.filter { rules.includes($0) }
    var marked: [String: MarkedSource] = [:]
    for path in paths {
      let file = folder.appending(path: path)
      guard let text = Self.text(of: file) else { continue }
      let source = try MarkedSource(text, path: path)
      if source.hasMarkers { marked[path] = source }
    }
    self.marked = marked
    var places: [String: String] = [:]
    for (path, source) in marked.sorted(by: { $0.key < $1.key }) where source.isSwift {
      for solution in source.solutions {
        let place = "\(path):\(solution.line)"
        if let other = places.updateValue(place, forKey: solution.name) {
          throw NotebookError(
            "\(place): expected another name than \(solution.name), which \(other) has")
        }
      }
    }
  }

  /// The Swift files with solutions, sorted by path.
  package var exercises: [MarkedSource] {
    marked.values.filter { $0.isSwift && !$0.solutions.isEmpty }.sorted { $0.path < $1.path }
  }

  /// The text of a file; nil if it is not text.
  static func text(of file: URL) -> String? {
    guard let data = regularFile(file, limit: 1 << 22), !data.contains(0) else { return nil }
    return String(bytes: data, encoding: .utf8)
  }

  /// The files at or below the paths, without those that are built or computed.
  private static func files(in folder: URL, below included: [String]) throws -> [String] {
    let root = folder.path(percentEncoded: false)
    var files: Set<String> = []
    for path in included {
      guard path.hasSuffix("/") else {
        if FileManager.default.fileExists(atPath: "\(root)/\(path)") { files.insert(path) }
        continue
      }
      let names = (try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(path)")) ?? []
      for name in names {
        var status = stat()
        guard lstat("\(root)/\(path)\(name)", &status) == 0, status.st_mode & S_IFMT != S_IFDIR
        else { continue }
        files.insert(path + name)
      }
    }
    return files.sorted()
  }
}

/// The list of what students get: one path a line.
///
/// ```text
/// # A comment
/// Package.swift
/// Sources/                                   a folder with everything in it
/// - Notebooks/*/expected/                    left out
/// ```
struct ReleaseRules {
  private(set) var included: [String] = []
  private var excluded: [String] = []

  init(_ text: String, name: String) throws {
    for (index, line) in withUnixLineEnds(text).split(
      separator: "\n", omittingEmptySubsequences: false
    ).enumerated() {
      let rule = line.trimmingCharacters(in: .whitespaces)
      guard !rule.isEmpty, !rule.hasPrefix("#") else { continue }
      let isExcluded = rule.hasPrefix("- ")
      let path = isExcluded ? rule.dropFirst(2).trimmingCharacters(in: .whitespaces) : rule
      let inside = path.hasSuffix("/") ? String(path.dropLast()) : path
      guard isPathInside(inside) else {
        throw NotebookError(
          "\(name):\(index + 1): expected a path inside of the package, got \(plainText(path))")
      }
      if isExcluded { excluded.append(path) } else { included.append(path) }
    }
  }

  func includes(_ path: String) -> Bool {
    !excluded.contains { Self.matches(path, $0) }
  }

  /// Whether a path is that of a rule or below it; `*` stands for any name.
  private static func matches(_ path: String, _ rule: String) -> Bool {
    let parts = path.split(separator: "/")
    let pattern = rule.split(separator: "/")
    guard rule.hasSuffix("/") ? parts.count > pattern.count : parts.count == pattern.count else {
      return false
    }
    return zip(parts, pattern).allSatisfy { part, pattern in
      let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
      guard pieces.count > 1 else { return part == pattern }
      let (first, last) = (pieces[0], pieces[pieces.count - 1])
      guard part.hasPrefix(first), part.dropFirst(first.count).hasSuffix(last) else {
        return false
      }
      var rest = part.dropFirst(pieces[0].count)
      for piece in pieces.dropFirst() where !piece.isEmpty {
        guard let range = rest.firstRange(of: piece) else { return false }
        rest = rest[range.upperBound...]
      }
      return true
    }
  }
}
