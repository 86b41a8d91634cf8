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
  ///   - blocks: How many blocks of 512 bytes a file may have that it writes, as on a disk that is
  ///     nearly full.
  ///   - seconds: How long it may take.
  ///   - isToStop: Asked again and again; as soon as it says so, the program is interrupted, as with
  ///     Ctrl-C.
  func run(
    _ arguments: [String], environment: [String: String] = [:], blocks: Int? = nil,
    seconds: Double = 300, interruptedWhen isToStop: () -> Bool = { false }
  ) throws -> Outcome {
    // Programs are built into the folder that the tests run from.
    let tests = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let path = tests.appending(path: name).path(percentEncoded: false)
    let variables = ProcessInfo.processInfo.environment.merging([
      "LAB_DATA_DIR": folder.appending(path: "data").path(percentEncoded: false),
      "LAB_OUTPUT_DIR": folder.appending(path: "output").path(percentEncoded: false),
    ]) { $1 }.merging(environment) { $1 }
    let output = folder.appending(path: "stdout-\(UUID())")
    let errors = folder.appending(path: "stderr-\(UUID())")
    var command = [path] + arguments
    if let blocks {
      let script = "trap '' XFSZ; ulimit -f \(blocks); exec \"$0\" \"$@\""
      command = ["/bin/sh", "-c", script] + command
    }
    let process = try spawn(
      command[0], command, variables.map { "\($0)=\($1)" }, output: output, errors: errors)
    let status = try wait(for: process, seconds: seconds, interruptedWhen: isToStop)
    return Outcome(
      status: status, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  // Foundation's Process sometimes misses the end of one program when several run at once.

  private func spawn(
    _ path: String, _ arguments: [String], _ environment: [String], output: URL, errors: URL
  ) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (descriptor, url) in [(CInt(1), output), (2, errors)] {
      posix_spawn_file_actions_addopen(
        &actions, descriptor, url.path(percentEncoded: false), O_WRONLY | O_CREAT, 0o600)
    }
    let texts = (arguments.map { strdup($0) }, environment.map { strdup($0) })
    defer { for text in texts.0 + texts.1 { free(text) } }
    var process: pid_t = 0
    let error = posix_spawn(&process, path, &actions, nil, texts.0 + [nil], texts.1 + [nil])
    try #require(error == 0, "cannot start \(path): \(String(cString: strerror(error)))")
    return process
  }

  /// The program's exit status, or 128 and the signal that ended it.
  private func wait(
    for process: pid_t, seconds: Double, interruptedWhen isToStop: () -> Bool
  ) throws -> Int32 {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var status: CInt = 0
    var isInterrupted = false
    while waitpid(process, &status, WNOHANG) == 0 {
      if ContinuousClock.now > deadline { kill(process, SIGKILL) }
      if !isInterrupted, isToStop() {
        isInterrupted = true
        kill(process, SIGINT)
      }
      usleep(10_000)
    }
    return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
