import Foundation

/// A program, run to its end with nothing on its standard input.
public enum Spawned {
  /// What a run leaves behind.
  public struct Outcome: Sendable {
    /// The exit status, or 128 and the signal that ended the program.
    public let status: Int32
    public let output: String
    public let errors: String
  }

  /// A program that cannot be started.
  public struct StartError: Error, CustomStringConvertible {
    public let description: String
  }

  /// Runs a program, and ends it when it takes too long.
  ///
  /// - Parameters:
  ///   - arguments: The program's path, and what stands behind it.
  ///   - environment: Its variables.
  ///   - folder: Where to keep what it writes.
  ///   - isGroup: Whether all that it starts is to be ended with it. A group of its own does not get
  ///     the terminal's Ctrl-C.
  ///   - seconds: How long it may take.
  ///   - stopping: The signal that interrupts the program; by default that of Ctrl-C.
  ///   - isToStop: Called repeatedly; when it returns true, the program is interrupted.
  public static func run(
    _ arguments: [String], environment: [String: String] = ProcessInfo.processInfo.environment,
    in folder: URL, isGroup: Bool = false, seconds: Double = 300, stopping: Int32 = SIGINT,
    interruptedWhen isToStop: () -> Bool = { false }
  ) throws -> Outcome {
    let output = folder.appending(path: "stdout-\(UUID())")
    let errors = folder.appending(path: "stderr-\(UUID())")
    let process = try start(
      arguments, environment, output: output.path(percentEncoded: false),
      errors: errors.path(percentEncoded: false), isGroup: isGroup)
    let status = wait(
      for: process, isGroup: isGroup, seconds: seconds, stopping: stopping,
      interruptedWhen: isToStop)
    return Outcome(
      status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  // Foundation's Process sometimes misses the end of one program when several run at once.

  private static func start(
    _ arguments: [String], _ environment: [String: String], output: String, errors: String,
    isGroup: Bool
  ) throws -> pid_t {
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
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // In a shell's background the tests themselves ignore Ctrl-C, which a program would inherit.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGHUP, SIGINT, SIGTERM] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var flags = Int16(POSIX_SPAWN_SETSIGDEF)
    if isGroup {
      posix_spawnattr_setpgroup(&attributes, 0)
      flags |= Int16(POSIX_SPAWN_SETPGROUP)
    }
    posix_spawnattr_setflags(&attributes, flags)
    let texts = (
      arguments.map { strdup($0) }, environment.map { strdup("\($0)=\($1)") }
    )
    defer { for text in texts.0 + texts.1 { free(text) } }
    var process: pid_t = 0
    let error = posix_spawn(
      &process, arguments[0], &actions, &attributes, texts.0 + [nil], texts.1 + [nil])
    guard error == 0 else {
      throw StartError(
        description: "cannot start \(arguments[0]): \(String(cString: strerror(error)))")
    }
    return process
  }

  private static func wait(
    for process: pid_t, isGroup: Bool, seconds: Double, stopping: Int32,
    interruptedWhen isToStop: () -> Bool
  ) -> CInt {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var status: CInt = 0
    var isInterrupted = false
    while waitpid(process, &status, WNOHANG) == 0 {
      if ContinuousClock.now > deadline { kill(isGroup ? -process : process, SIGKILL) }
      if !isInterrupted, isToStop() {
        isInterrupted = true
        kill(process, stopping)
      }
      usleep(10_000)
    }
    return status
  }
}
