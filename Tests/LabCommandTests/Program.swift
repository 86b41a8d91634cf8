import Foundation
import Testing

/// A program of this package, run as a user runs it.
struct Program {
  /// What a run leaves behind.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  let name: String
  /// The folder for data and output.
  let folder: URL

  /// Runs the program, and ends it when it takes too long.
  ///
  /// - Parameters:
  ///   - arguments: What stands behind the program's name.
  ///   - environment: Variables to set.
  ///   - seconds: How long it may take.
  func run(
    _ arguments: [String], environment: [String: String] = [:], seconds: Double = 300
  ) throws -> Outcome {
    // Programs are built into the folder that the tests run from.
    let tests = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let process = Process()
    process.executableURL = tests.appending(path: name)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging([
      "LAB_DATA_DIR": folder.appending(path: "data").path(percentEncoded: false),
      "LAB_OUTPUT_DIR": folder.appending(path: "output").path(percentEncoded: false),
    ]) { $1 }.merging(environment) { $1 }
    let output = folder.appending(path: "stdout-\(UUID())")
    let errors = folder.appending(path: "stderr-\(UUID())")
    for url in [output, errors] { try Data().write(to: url) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let deadline = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: deadline)
    process.waitUntilExit()
    deadline.cancel()
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
