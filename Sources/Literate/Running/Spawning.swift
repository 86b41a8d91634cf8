import Foundation

/// Starts a program in a process group of its own, with the default handling of the signals that this
/// program catches or ignores.
///
/// - Parameters:
///   - program: The path of the program, or its name if `searchesPath`.
///   - arguments: The arguments without the program.
///   - environment: Its variables.
///   - searchesPath: Whether to look for the program in the folders of `PATH`.
///   - streams: Where its standard input, output and error go: descriptors of this process; nil is
///     `/dev/null`.
/// - Returns: The process.
/// - Throws: ``NotebookError`` if it cannot be started.
package func spawn(
  _ program: String, _ arguments: [String], environment: [String: String],
  searchesPath: Bool = false, streams: [Int32]? = nil
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
  for stream in 0..<3 {
    if let streams {
      posix_spawn_file_actions_adddup2(&actions, streams[stream], Int32(stream))
    } else {
      let mode = stream == 0 ? O_RDONLY : O_WRONLY
      posix_spawn_file_actions_addopen(&actions, Int32(stream), "/dev/null", mode, 0)
    }
  }
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  // A child would inherit that signals are ignored.
  var signals = sigset_t()
  sigemptyset(&signals)
  for signal in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  var flags = Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETPGROUP)
  #if canImport(Darwin)
    // Between the creation of a pipe and its mark, another thread may start a program.
    flags |= Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
  #endif
  posix_spawnattr_setflags(&attributes, flags)
  let texts = (
    ([program] + arguments).map { strdup($0) },
    environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") }
  )
  defer { for text in texts.0 + texts.1 { free(text) } }
  var process: pid_t = 0
  let start = searchesPath ? posix_spawnp : posix_spawn
  var error: Int32 = 0
  // A program that this process has just written is busy as long as a child that another thread has
  // started meanwhile, and that has not become its own program yet, holds a copy of the open file.
  for _ in 0..<100 {
    error = start(&process, program, &actions, &attributes, texts.0 + [nil], texts.1 + [nil])
    guard error == ETXTBSY else { break }
    usleep(20_000)
  }
  guard error == 0 else {
    throw NotebookError("cannot start \(program): \(String(cString: strerror(error)))")
  }
  return process
}
