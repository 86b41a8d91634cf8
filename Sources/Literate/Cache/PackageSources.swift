import Foundation

/// The sources of a package: what its programs are built from.
struct PackageSources {
  /// The folder with `Package.swift`.
  let package: URL

  /// The package that a source file belongs to: the nearest folder above it with `Package.swift`.
  init?(of file: URL) {
    var folder = file.standardizedFileURL.deletingLastPathComponent()
    while folder.path != "/" {
      let manifest = folder.appending(path: "Package.swift").path(percentEncoded: false)
      if FileManager.default.fileExists(atPath: manifest) {
        package = folder
        return
      }
      folder = folder.deletingLastPathComponent().standardizedFileURL
    }
    return nil
  }

  init(_ package: URL) {
    self.package = package
  }

  /// The files in `Sources`, and the manifest.
  private var files: [URL] {
    let files = (try? filesBelow(package.appending(path: "Sources"))) ?? []
    guard !files.isEmpty else { return [] }
    return files + ["Package.swift", "Package.resolved"].map { package.appending(path: $0) }
  }

  /// The checksum of the sources, C headers and resources, and of the manifest; empty if there are no
  /// sources.
  var checksum: String {
    let files = files
    guard !files.isEmpty else { return "" }
    var sum = Checksum()
    for url in files {
      guard let bytes = regularFile(url) else { continue }
      sum.add("\(url.lastPathComponent) \(bytes.count)\n")
      sum.add(bytes)
    }
    return sum.text
  }

  /// When a source was changed last.
  var lastChange: Date { newest(files) }
}

/// The files in a folder and below, without hidden ones, sorted by path.
func filesBelow(_ folder: URL) throws -> [URL] {
  let path = folder.path(percentEncoded: false)
  return try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
    .filter { !$0.hasPrefix(".") && !$0.contains("/.") }.map { folder.appending(path: $0) }
}

/// When one of the files was changed last.
func newest(_ files: [URL]) -> Date {
  files.compactMap {
    try? $0.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
  }.max() ?? .distantPast
}

extension CellKeys {
  /// The keys of a notebook that is built from the sources as they are now.
  ///
  /// - Parameters:
  ///   - file: The `main.swift` of the notebook.
  ///   - source: Its text.
  ///   - libraries: The checksum of what else the program is built from.
  /// - Throws: An error if a digest cannot be computed.
  init(of file: URL, _ source: NotebookSource, libraries: String) throws {
    let others = Self.others(beside: file).map {
      String(decoding: regularFile($0) ?? Data(), as: UTF8.self)
    }
    let own = Self.ownPackage(apartFrom: PackageSources(of: file))
    try self.init(
      source, others: others,
      libraries: [libraries, own?.checksum].compactMap(\.self).joined(separator: " "))
  }

  /// The keys of a program that is not run by the runner.
  ///
  /// - Parameter file: The `main.swift` of the notebook, as the compiler has named it.
  /// - Returns: The keys; `nil` if a source was changed since the program was built, maybe from an
  ///   earlier one, or if there are no sources.
  /// - Throws: An error if a digest cannot be computed.
  static func ofThisProgram(_ file: URL) throws -> CellKeys? {
    guard let text = regularFile(file), let package = PackageSources(of: file) else { return nil }
    let packages = [package, ownPackage(apartFrom: package)].compactMap(\.self)
    let changed = [newest([file] + others(beside: file))] + packages.map(\.lastChange)
    guard changed.allSatisfy({ $0 <= newest([program]) }) else { return nil }
    let source = NotebookSource(String(decoding: text, as: UTF8.self), name: "")
    return try CellKeys(of: file, source, libraries: package.checksum)
  }

  /// The running program.
  static var program: URL {
    Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
  }

  /// The other source files of a notebook.
  private static func others(beside file: URL) -> [URL] {
    ((try? filesBelow(file.deletingLastPathComponent())) ?? []).filter {
      $0.pathExtension == "swift" && $0.lastPathComponent != file.lastPathComponent
    }
  }

  /// The package of this file, if the notebook is in another one that depends on it.
  private static func ownPackage(apartFrom package: PackageSources?) -> PackageSources? {
    guard let own = PackageSources(of: URL(filePath: #filePath)),
      own.package.standardizedFileURL != package?.package.standardizedFileURL
    else { return nil }
    return own
  }
}
