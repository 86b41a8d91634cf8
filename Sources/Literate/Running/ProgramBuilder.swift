import Foundation

/// Builds the programs of notebooks with SwiftPM: one product, and only if a source has changed.
public struct ProgramBuilder: Sendable {
  /// The folder with `Package.swift`.
  let package: URL
  /// The folder for build products, such as `.build`.
  let scratch: URL
  /// `debug` or `release`.
  let configuration: String
  /// The program `swift`.
  let swift: URL
  /// Puts a build into a sandbox: from the arguments of `swift` to a program with its arguments.
  var sandbox: (@Sendable ([String]) -> (program: URL, arguments: [String]))?

  package init(package: URL, scratch: URL, configuration: String, swift: URL) {
    self.package = package
    self.scratch = scratch
    self.configuration = configuration
    self.swift = swift
  }

  /// The builder of the programs in a folder such as `.build/x86_64-unknown-linux-gnu/release`; `nil` if
  /// SwiftPM did not build them there, or is not installed.
  init?(package: URL, programs: URL) {
    let configuration = programs.lastPathComponent
    let scratch = programs.deletingLastPathComponent().deletingLastPathComponent()
    let files = [
      package.appending(path: "Package.swift"), scratch.appending(path: "workspace-state.json"),
    ]
    guard ["debug", "release"].contains(configuration),
      files.allSatisfy({
        FileManager.default.fileExists(atPath: $0.path(percentEncoded: false))
      }),
      let swift = Self.find("swift")
    else { return nil }
    self.init(package: package, scratch: scratch, configuration: configuration, swift: swift)
  }

  static func find(_ program: String) -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").lazy
      .map { URL(filePath: String($0)).appending(path: program) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path(percentEncoded: false)) }
  }

  // MARK: What was built

  /// From which sources a program was built, in a file beside it.
  private struct Product: Codable, Equatable {
    var sources: String
    var program: String

    init(_ fingerprint: Fingerprint) {
      sources = fingerprint.sources
      program = fingerprint.program
    }
  }

  private func file(for program: URL) -> URL {
    program.deletingLastPathComponent()
      .appending(path: "\(program.lastPathComponent).built-from.json")
  }

  /// Whether the program was built from these sources, so that not even SwiftPM has to look.
  func hasBuilt(_ program: URL, from fingerprint: Fingerprint) -> Bool {
    guard !fingerprint.program.isEmpty, let data = regularFile(file(for: program)),
      let product = try? JSONDecoder().decode(Product.self, from: data)
    else { return false }
    return product == Product(fingerprint)
  }

  /// Stores from which sources a program was built.
  func store(_ fingerprint: Fingerprint, for program: URL) {
    // Without it SwiftPM looks again the next time.
    guard let text = try? jsonText(of: Product(fingerprint)) else { return }
    try? writeFile(text, to: file(for: program))
  }

  // MARK: Building

  /// Builds the program of a notebook.
  ///
  /// - Parameters:
  ///   - name: The name of the notebook.
  ///   - console: Shows the compiler's errors.
  /// - Throws: ``NotebookError`` if it cannot be built, ``NotebookInterruption``.
  func build(_ name: String, on console: Console) throws {
    console.building(name)
    let interruption = Interruption()
    defer { interruption.stop() }
    let outcome = try build(name, while: { !interruption.hasOccurred }) {
      console.complain("Another build is running in \(scratch.relativePath); waiting for its end")
    }
    switch outcome {
    case .built: return
    case .stopped: throw NotebookInterruption(name: name)
    case .failed(let report):
      console.complain("\n\(report.details)\n")
      throw NotebookError("\(name) was not built, and not run: \(report.summary)")
    }
  }

  /// How a build ended.
  enum Outcome {
    case built, stopped
    case failed(BuildReport)
  }

  /// Builds the program of a notebook.
  ///
  /// - Parameters:
  ///   - name: The name of the notebook.
  ///   - goesOn: Called every 20 ms; the build is stopped when it returns `false`.
  ///   - onWaiting: Called when another build in the same folder has to end first.
  /// - Throws: ``NotebookError`` if `swift` cannot be started.
  func build(
    _ name: String, while goesOn: () -> Bool, onWaiting: () -> Void
  ) throws -> Outcome {
    let arguments = arguments(for: name)
    let command = sandbox?(arguments) ?? (program: swift, arguments: arguments)
    let child = try Child(command.program, command.arguments, environment: environment)
    var text: [UInt8] = []
    var waits = false
    var isStopped = false
    child.followToEnd(while: {
      isStopped = isStopped || !goesOn()
      return !isStopped
    }) { bytes, _ in
      text += bytes
      if !waits, String(decoding: bytes, as: UTF8.self).contains("Another instance of SwiftPM") {
        waits = true
        onWaiting()
      }
    }
    if isStopped { return .stopped }
    if child.ending == .exit(0) { return .built }
    return .failed(BuildReport(String(decoding: text, as: UTF8.self), package: package))
  }

  /// SwiftPM reads a manifest again if the manifest or a variable of the environment has changed, but not
  /// for a new folder that the manifest would find.
  private var environment: [String: String] {
    let folder = package.appending(path: "Notebooks").path(percentEncoded: false)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return ProcessInfo.processInfo.environment.merging([
      "LAB_NOTEBOOKS": names.filter { !$0.hasPrefix(".") }.sorted().joined(separator: ":")
    ]) { $1 }
  }

  private func arguments(for name: String) -> [String] {
    [
      "build", "--package-path", package.path(percentEncoded: false), "--scratch-path",
      scratch.path(percentEncoded: false), "--configuration", configuration, "--product", name,
    ]
  }
}

/// The errors in the output of a build.
package struct BuildReport {
  /// The errors, each once. An error without a place is one of the manifest or of the linker.
  package let errors: [BuildError]
  /// The errors with the lines of the source.
  package let details: String
  /// The number of errors and the first one, in one line.
  package let summary: String

  /// The number of errors shown.
  private static let limit = 10

  /// - Parameters:
  ///   - output: What `swift build` printed.
  ///   - package: The package's folder; files are named relative to it.
  package init(_ output: String, package: URL) {
    var folder = package.path(percentEncoded: false)
    if !folder.hasSuffix("/") { folder += "/" }
    let lines = withUnixLineEnds(plainText(output)).replacing(folder, with: "")
      .split(separator: "\n", omittingEmptySubsequences: false)
    // SwiftPM prints the errors of a module once for each of its steps.
    var heads: [Substring] = []
    var blocks: [String] = []
    var errors: [BuildError] = []
    for (index, line) in lines.enumerated() {
      guard let place = Self.place(line), !heads.contains(line) else { continue }
      heads.append(line)
      let excerpt = lines[(index + 1)...].prefix {
        $0.contains(#/^ *[0-9]* *[|:]/#) && Self.place($0) == nil
      }
      blocks.append(([line] + excerpt).joined(separator: "\n"))
      errors.append(
        BuildError(
          file: place.file, line: place.line, column: place.column, message: place.message,
          excerpt: excerpt.joined(separator: "\n")))
    }
    if heads.isEmpty {
      // The manifest or the linker.
      heads = lines.filter { $0.hasPrefix("error: ") }
      blocks = [lines.suffix(30).joined(separator: "\n")]
      let text = blocks[0].trimmingCharacters(in: .newlines)
      let message = heads.first.map { String($0.dropFirst("error: ".count)) }
      errors = [BuildError(message: message ?? "swift build failed", excerpt: text)]
    }
    let left = blocks.count - Self.limit
    details =
      (blocks.prefix(Self.limit) + (left > 0 ? ["and \(left) more errors"] : []))
      .joined(separator: "\n\n").trimmingCharacters(in: .newlines)
    let count = heads.count == 1 ? "1 error" : "\(heads.count) errors, the first"
    let first = heads.first.map { $0.hasPrefix("error: ") ? $0.dropFirst("error: ".count) : $0 }
    summary = first.map { "\(count): \($0)" } ?? "swift build failed"
    self.errors = errors
  }

  private typealias Place = (file: String, line: Int, column: Int, message: String)

  private static func place(_ line: Substring) -> Place? {
    let pattern = /^([^ |][^|]*):([0-9]+):([0-9]+): (?:fatal )?error: (.*)$/
    guard let match = line.wholeMatch(of: pattern), let number = Int(match.2),
      let column = Int(match.3)
    else { return nil }
    return (String(match.1), number, column, String(match.4))
  }
}

/// An error of the compiler.
package struct BuildError: Equatable, Sendable {
  /// The file, relative to the package's folder; `nil` for an error of the manifest or of the linker.
  package var file: String?
  /// The line, counted from 1.
  package var line: Int?
  /// The column, counted from 1.
  package var column: Int?
  package var message: String
  /// The lines of the source with the compiler's marks, or what it printed.
  package var excerpt: String
}
