import Foundation
import Literate
import Plot

/// The folder of a running kernel in the package: its program's source, and its figures. `Package.swift`
/// makes a target of each such folder, if a variable names the folder above.
package final class SessionFolder {
  /// The name of the program, such as `kernel-session-1`.
  package let name: String
  package let url: URL
  private let lock: FileHandle

  /// The variable that `Package.swift` reads, and the folder of all sessions.
  package static let variable = "LAB_KERNEL_SESSIONS"
  package static let parent = ".build/kernel"
  /// The number of kernels that can run at once, as `Package.swift` has it.
  package static let count = 8

  /// Takes the first folder that no other kernel has.
  ///
  /// - Throws: ``KernelError`` if there is none, or if folders cannot be created.
  package init(in package: URL) throws {
    let names = (1...Self.count).map { "kernel-session-\($0)" }
    let parent = package.appending(path: Self.parent, directoryHint: .isDirectory)
    // SwiftPM expects all of them.
    for name in names {
      let source = parent.appending(path: "\(name)/main.swift")
      if !FileManager.default.fileExists(atPath: source.path(percentEncoded: false)) {
        try writeFile(Array("\n".utf8), to: source.path(percentEncoded: false))
      }
    }
    for name in names {
      let url = parent.appending(path: name, directoryHint: .isDirectory)
      let number = open(
        url.appending(path: ".lock").path(percentEncoded: false),
        O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard number >= 0 else { continue }
      let handle = FileHandle(fileDescriptor: number, closeOnDealloc: true)
      if flock(number, LOCK_EX | LOCK_NB) == 0 {
        (self.name, self.url, lock) = (name, url, handle)
        // What an earlier kernel has left here may not compile.
        try write("\n")
        return
      }
    }
    throw KernelError(
      "expected at most \(Self.count) running kernels of \(package.path(percentEncoded: false)), "
        + "found as many; shut one down")
  }

  var source: URL { url.appending(path: "main.swift") }
  /// The name of the source in the compiler's messages.
  var sourceName: String { "\(Self.parent)/\(name)/main.swift" }
  var figures: URL { url.appending(path: ".figures", directoryHint: .isDirectory) }

  /// Writes the source, if it has changed.
  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard (try? Data(contentsOf: source)).map(Array.init) != bytes else { return }
    try writeFile(bytes, to: source.path(percentEncoded: false))
  }
}

/// The package that the kernel belongs to, and what builds it.
package struct KernelPackage: Sendable {
  package let folder: URL
  /// The folder of the programs, such as `.build/release`.
  package let programs: URL
  package let swift: URL

  /// - Parameters:
  ///   - program: A program of the package.
  ///   - swift: The path of the program `swift`; `nil` to look for it.
  /// - Throws: ``KernelError`` if there is no package around the program, or no `swift`.
  package init(of program: URL, swift: String? = nil) throws {
    let program = program.resolvingSymlinksInPath()
    programs = program.deletingLastPathComponent()
    var folder = programs
    while !Self.exists(folder.appending(path: "Package.swift")) {
      guard folder.path != "/" else {
        throw KernelError(
          "expected \(program.path(percentEncoded: false)) in the folder of its package, found no "
            + "Package.swift above it; the kernel builds cells, and needs the package and Swift")
      }
      folder = folder.deletingLastPathComponent().standardizedFileURL
    }
    self.folder = folder
    let paths =
      [swift].compactMap(\.self)
      + (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map {
        "\($0)/swift"
      }
    guard let found = paths.first(where: FileManager.default.isExecutableFile) else {
      throw KernelError(
        "expected the program swift in PATH, found none; see https://www.swift.org/install")
    }
    self.swift = URL(filePath: found)
  }

  private static func exists(_ url: URL) -> Bool {
    FileManager.default.fileExists(atPath: url.path(percentEncoded: false))
  }

  /// Builds a program.
  ///
  /// - Parameters:
  ///   - product: Its name.
  ///   - goesOn: Called repeatedly; the build is stopped when it returns `false`.
  ///   - onWaiting: Called if another build has to end first.
  /// - Returns: The errors; `nil` if there are none.
  /// - Throws: ``NotebookError`` if `swift` cannot be started.
  package func build(
    _ product: String, while goesOn: () -> Bool, onWaiting: () -> Void = {}
  ) throws -> BuildReport? {
    var environment = ProcessInfo.processInfo.environment
    environment[SessionFolder.variable] = SessionFolder.parent
    let scratch = programs.deletingLastPathComponent().deletingLastPathComponent()
    let child = try Child(
      swift,
      [
        "build", "--package-path", folder.path(percentEncoded: false), "--scratch-path",
        scratch.path(percentEncoded: false), "--configuration", programs.lastPathComponent,
        "--product", product,
      ], environment: environment)
    var text: [UInt8] = []
    var waits = false
    child.followToEnd(while: goesOn) { bytes, _ in
      text += bytes
      if !waits, String(decoding: bytes, as: UTF8.self).contains("Another instance of SwiftPM") {
        waits = true
        onWaiting()
      }
    }
    if child.ending == .exit(0) { return nil }
    return BuildReport(String(decoding: text, as: UTF8.self), package: folder)
  }
}
