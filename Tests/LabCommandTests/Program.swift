import Foundation
import Spawning

/// A program of this package, run as a user runs it.
struct Program {
  let name: String
  /// The folder for data and output.
  let folder: URL

  /// Runs the program, and ends it when it takes too long.
  ///
  /// - Parameters:
  ///   - arguments: What stands behind the program's name.
  ///   - environment: Variables to set.
  ///   - blocks: How many blocks of 512 bytes a file may have that it writes, as on a disk that is
  ///     nearly full.
  ///   - seconds: How long it may take.
  ///   - isToStop: Asked again and again; as soon as it says so, the program is interrupted, as with
  ///     Ctrl-C.
  func run(
    _ arguments: [String], environment: [String: String] = [:], blocks: Int? = nil,
    seconds: Double = 300, interruptedWhen isToStop: () -> Bool = { false }
  ) throws -> Spawned.Outcome {
    // Programs are built into the folder that the tests run from.
    let tests = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let path = tests.appending(path: name).path(percentEncoded: false)
    let variables = ProcessInfo.processInfo.environment.merging([
      "LAB_DATA_DIR": folder.appending(path: "data").path(percentEncoded: false),
      "LAB_OUTPUT_DIR": folder.appending(path: "output").path(percentEncoded: false),
    ]) { $1 }.merging(environment) { $1 }
    var command = [path] + arguments
    if let blocks {
      let script = "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\""
      command = ["/bin/sh", "-c", script] + command
    }
    return try Spawned.run(
      command, environment: variables, in: folder, seconds: seconds, interruptedWhen: isToStop)
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
