import Foundation

/// A child process with pipes for its input and output.
///
/// Foundation's `Process` sometimes misses the end of a process when several run at once, and does not
/// report peak memory.
package final class Child {
  /// How a process ended.
  package enum Ending: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  let process: pid_t
  /// The reading ends of the pipes for standard output and standard error.
  package let output: Int32
  package let errors: Int32
  private let input: Pipe
  /// The peak resident memory in bytes, known once the process has ended.
  package private(set) var peakMemory = 0
  package private(set) var ending: Ending?

  /// Starts a program in a process group of its own.
  ///
  /// - Throws: ``NotebookError`` if it cannot be started.
  package init(_ program: URL, _ arguments: [String], environment: [String: String]) throws {
    let (input, output, errors) = (try Pipe(), try Pipe(), try Pipe())
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.reading, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writing, 2)

    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The runner ignores interrupts, which a child would inherit.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETPGROUP))

    let path = program.path(percentEncoded: false)
    let texts = (
      ([path] + arguments).map { strdup($0) },
      environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") }
    )
    defer { for text in texts.0 + texts.1 { free(text) } }
    var process: pid_t = 0
    let error = posix_spawn(
      &process, path, &actions, &attributes, texts.0 + [nil], texts.1 + [nil])
    for end in [output.writing, errors.writing] { close(end) }
    // The reading end stays open too, so that writing to an ended process raises no SIGPIPE.
    (self.process, self.input, self.output, self.errors) =
      (process, input, output.reading, errors.reading)
    guard error == 0 else {
      ending = .exit(127)
      throw NotebookError("cannot start \(path): \(String(cString: strerror(error)))")
    }
  }

  deinit {
    for end in [input.reading, input.writing, output, errors] { close(end) }
  }

  /// Resumes a program that waits for a line of input.
  func resume() {
    var newline = UInt8(ascii: "\n")
    _ = write(input.writing, &newline, 1)
  }

  /// Kills the program and all processes that it has started.
  package func end() {
    kill(-process, SIGKILL)
  }

  /// Whether the program has ended; does not wait.
  package func hasEnded() -> Bool {
    if ending != nil { return true }
    var status: Int32 = 0
    var usage = rusage()
    guard wait4(process, &status, WNOHANG, &usage) == process else { return false }
    let signal = status & 0x7f
    ending = signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
    #if os(Linux)
      peakMemory = Int(usage.ru_maxrss) * 1024
    #else
      peakMemory = Int(usage.ru_maxrss)
    #endif
    return true
  }

  /// A pipe, whose ends are not inherited by child processes.
  private struct Pipe {
    let reading: Int32
    let writing: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else {
        throw NotebookError("cannot create a pipe: \(String(cString: strerror(errno)))")
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      (reading, writing) = (ends[0], ends[1])
    }
  }
}
