import Foundation
import Testing

/// A program of the system, run to its end.
enum Spawned {
  /// What a run leaves behind.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Runs a program, and ends it with all that it started when it takes too long.
  ///
  /// - Parameters:
  ///   - arguments: The program's path, and what stands behind it.
  ///   - folder: Where to keep what it writes.
  static func run(
    _ arguments: [String], in folder: URL, seconds: Double = 120
  ) throws -> Outcome {
    let output = folder.appending(path: "stdout-\(UUID())")
    let errors = folder.appending(path: "stderr-\(UUID())")
    let process = try start(arguments, output: output.path, errors: errors.path)
    let deadline = ContinuousClock.now + .seconds(seconds)
    var status: CInt = 0
    while waitpid(process, &status, WNOHANG) == 0 {
      if ContinuousClock.now > deadline { kill(-process, SIGKILL) }
      usleep(10_000)
    }
    return Outcome(
      status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  // Foundation's Process sometimes misses the end of one program when several run at once.
  private static func start(_ arguments: [String], output: String, errors: String) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
    // A browser is several processes; in a group of their own they can be ended together.
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let variables = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
    let texts = (arguments.map { strdup($0) }, variables.map { strdup($0) })
    defer { for text in texts.0 + texts.1 { free(text) } }
    var process: pid_t = 0
    let error = posix_spawn(
      &process, arguments[0], &actions, &attributes, texts.0 + [nil], texts.1 + [nil])
    try #require(error == 0, "cannot start \(arguments[0]): \(String(cString: strerror(error)))")
    return process
  }
}
