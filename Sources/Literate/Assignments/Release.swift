import Foundation

/// Writes the students' version of a package: without solutions, hidden tests, accepted results and
/// history.
public struct Release {
  private let package: AssignmentPackage

  /// - Parameter folders: The notebooks of the teacher's package.
  /// - Throws: ``NotebookError`` if the package has no list of files for students, or wrong markers.
  public init(_ folders: NotebookFolders) throws {
    try self.init(AssignmentPackage(folders.package))
  }

  /// - Parameter package: The teacher's package.
  /// - Throws: ``NotebookError`` if it has no exercises.
  package init(_ package: AssignmentPackage) throws {
    self.package = package
    guard !package.exercises.isEmpty else {
      throw NotebookError(
        "expected exercises between // BEGIN SOLUTION: NAME and // END SOLUTION, found none in the "
          + "files that \(AssignmentPackage.listName) lists")
    }
  }

  /// What was written.
  public struct Summary: Sendable {
    public var files = 0
    /// The names of the exercises, in the order of the files.
    public var exercises: [String] = []
  }

  /// The folder in the students' package with the texts of the exercises as they were handed out.
  static let handoutName = ".assignment"

  /// Writes the package.
  ///
  /// - Parameter target: The folder, which must not exist yet or be empty.
  /// - Throws: ``NotebookError`` if the folder has files, or if a line of a solution would be in another
  ///   file.
  public func write(to target: URL) throws -> Summary {
    let path = target.path(percentEncoded: false)
    let earlier = try? FileManager.default.contentsOfDirectory(atPath: path)
    if FileManager.default.fileExists(atPath: path), earlier?.isEmpty != true {
      throw NotebookError("\(path): expected a new or an empty folder; choose another one")
    }
    let parent = target.standardizedFileURL.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    let part = parent.appending(
      path: ".\(target.lastPathComponent)-\(UUID())", directoryHint: .isDirectory)
    defer { try? FileManager.default.removeItem(at: part) }
    var files: Set<String> = []
    for path in package.paths {
      try copy(path, to: part)
      files.insert(path)
    }
    files.formUnion(try overlay(part))
    for source in package.exercises {
      let handout = part.appending(path: "\(Self.handoutName)/\(source.path).txt")
      try writeFile(source.released, to: handout)
      files.insert("\(Self.handoutName)/\(source.path).txt")
    }
    let leaks = try LeakSearch(package).leaks(in: part, files.sorted())
    guard leaks.isEmpty else {
      let shown = leaks.prefix(10) + (leaks.count > 10 ? ["and \(leaks.count - 10) more"] : [])
      throw NotebookError(
        "nothing was written: lines that students must not have are in other files too; mark them "
          + "with // BEGIN TEACHER ONLY, or leave the files out in \(AssignmentPackage.listName):\n"
          + shown.map { "  \($0)" }.joined(separator: "\n"))
    }
    rmdir(path)
    guard rename(part.path(percentEncoded: false), path) == 0 else {
      throw NotebookError("cannot write \(path): \(String(cString: strerror(errno)))")
    }
    return Summary(
      files: files.count, exercises: package.exercises.flatMap { $0.solutions.map(\.name) })
  }

  private func copy(_ path: String, to part: URL) throws {
    let (file, copy) = (package.folder.appending(path: path), part.appending(path: path))
    if let source = package.marked[path] {
      try writeFile(source.released, to: copy)
      return
    }
    try FileManager.default.createDirectory(
      at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
    let name = file.path(percentEncoded: false)
    if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: name) {
      let inside = URL(filePath: link, relativeTo: file.deletingLastPathComponent())
        .standardizedFileURL.path(percentEncoded: false)
      let root = package.folder.standardizedFileURL.path(percentEncoded: false)
      guard !link.hasPrefix("/"), inside.hasPrefix(root) else {
        throw NotebookError("\(path): expected a link inside of the package, got one to \(link)")
      }
    }
    try FileManager.default.copyItem(at: file, to: copy)
  }

  /// Copies the files that students have instead of the teacher's.
  private func overlay(_ part: URL) throws -> [String] {
    let folder = package.folder.appending(path: AssignmentPackage.overlayName)
    let root = folder.path(percentEncoded: false)
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
    var copied: [String] = []
    for path in paths.sorted() {
      let (file, copy) = (folder.appending(path: path), part.appending(path: path))
      guard regularFile(file) != nil else { continue }
      try FileManager.default.createDirectory(
        at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
      try? FileManager.default.removeItem(at: copy)
      try FileManager.default.copyItem(at: file, to: copy)
      copied.append(path)
    }
    return copied
  }
}

/// Finds lines of solutions and hidden tests in what students get.
struct LeakSearch {
  /// Lines that students must not have, without white space at their ends, with their places.
  private var secrets: [String: String] = [:]

  /// Shorter lines, such as `return x`, are no secret.
  static let shortest = 21

  init(_ package: AssignmentPackage) throws {
    func add(_ line: String, _ place: String) {
      let text = line.trimmingCharacters(in: .whitespaces)
      // What documentation says is no solution.
      guard text.count(where: { !$0.isWhitespace }) >= Self.shortest, !text.hasPrefix("///") else {
        return
      }
      secrets[text] = secrets[text] ?? place
    }
    for source in package.marked.values {
      for (line, number) in source.secretLines { add(line, "\(source.path):\(number)") }
    }
  }

  /// The places of secret lines in files. A line of two or more Swift files is how everybody writes.
  func leaks(in folder: URL, _ paths: [String]) throws -> [String] {
    var places: [String: [(path: String, line: Int)]] = [:]
    for path in paths {
      guard let text = AssignmentPackage.text(of: folder.appending(path: path)) else { continue }
      let isSwift = path.hasSuffix(".swift") || path.hasSuffix(".swift.txt")
      let lines = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        let line = line.trimmingCharacters(in: .whitespaces)
        if secrets[line] != nil {
          places[line, default: []].append((path, index + 1))
        } else if !isSwift, line.count >= Self.shortest {
          // In a table or in JSON a line of code is a part of a line.
          for secret in secrets.keys where line.contains(secret) {
            places[secret, default: []].append((path, index + 1))
          }
        }
      }
    }
    return places.flatMap { secret, places -> [String] in
      let swift = Set(places.map(\.path).filter { $0.hasSuffix(".swift") })
      return places.filter { swift.count < 2 || !$0.path.contains(".swift") }.map {
        "\($0.path):\($0.line): \(secret) (from \(secrets[secret] ?? ""))"
      }
    }.sorted()
  }
}
