import Foundation
import Spawning
import Testing

/// A program of this package, run as a user runs it.
struct Program {
  let name: String
  /// The folder for data and output.
  let folder: URL

  /// Runs the program, and stops it after a time limit.
  ///
  /// - Parameters:
  ///   - arguments: The arguments.
  ///   - environment: Variables to set.
  ///   - blocks: The maximum size of the files that it writes, in blocks of 512 bytes, to simulate a
  ///     full disk.
  ///   - launcher: A command that starts the program, such as a shell with a script; the program's path
  ///     and arguments follow it.
  ///   - start: The folder in which the program is started; by default that of the tests.
  ///   - seconds: The time limit.
  ///   - stopping: The signal that interrupts the program; by default that of Ctrl-C.
  ///   - isToStop: Called repeatedly; when it returns true, the program is interrupted.
  func run(
    _ arguments: [String], environment: [String: String] = [:], blocks: Int? = nil,
    command launcher: [String] = [], startedIn start: URL? = nil, seconds: Double = 300,
    stopping: Int32 = SIGINT,
    interruptedWhen isToStop: () -> Bool = { false }
  ) throws -> Spawned.Outcome {
    // Programs are in the tests' build folder.
    let tests = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let path = tests.appending(path: name).path(percentEncoded: false)
    let variables = ProcessInfo.processInfo.environment.merging([
      "LAB_DATA_DIR": folder.appending(path: "data").path(percentEncoded: false),
      "LAB_OUTPUT_DIR": folder.appending(path: "output").path(percentEncoded: false),
      // What a notebook computes is to be computed.
      "LITERATE_CACHE": "",
    ]) { $1 }.merging(environment) { $1 }
    var command = launcher + [path] + arguments
    if let blocks {
      let script = "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\""
      command = ["/bin/sh", "-c", script] + command
    }
    if let start {
      let script = "cd \"$0\"; exec \"$@\""
      command = ["/bin/sh", "-c", script, start.path(percentEncoded: false)] + command
    }
    return try Spawned.run(
      command, environment: variables, in: folder, seconds: seconds, stopping: stopping,
      interruptedWhen: isToStop)
  }

  /// Expects the program to print an error of one line and nothing else.
  ///
  /// - Parameters:
  ///   - arguments: The arguments.
  ///   - expected: A part of the error.
  func expectError(
    _ arguments: [String], _ expected: String, location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try run(arguments)
    #expect(outcome.status == 1, sourceLocation: location)
    #expect(outcome.output.isEmpty, sourceLocation: location)
    #expect(
      outcome.errors.hasPrefix("Error: ") && outcome.errors.contains(expected),
      "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.errors.split(separator: "\n").count == 1, sourceLocation: location)
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The bytes of the weights and the metrics of the only run, by file name; nothing if there is no
/// run yet.
func runFiles(in output: URL) throws -> [String: Data] {
  let logs = output.appending(path: "logs")
  let paths =
    FileManager.default.enumerator(atPath: logs.path(percentEncoded: false))?
    .compactMap { $0 as? String }
    // Files that were being written when the program was killed are ignored.
    .filter { !$0.contains("/.") } ?? []
  guard paths.contains(where: { $0.hasSuffix("run.json") }) else { return [:] }
  let same = paths.filter {
    $0.hasSuffix("metrics.csv") || $0.hasSuffix("last.safetensors") || $0.contains("epoch=")
      || $0.hasSuffix("run.json")
  }
  return Dictionary(
    uniqueKeysWithValues: try same.map {
      let data = try Data(contentsOf: logs.appending(path: $0))
      return ($0, $0.hasSuffix("run.json") ? Data() : data)
    })
}
