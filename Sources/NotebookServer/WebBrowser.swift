import Foundation

/// The reader's web browser.
package enum WebBrowser {
  /// Opens an address in the browser, if there is one; whether it does so is not known.
  package static func open(_ address: URL) {
    let environment = ProcessInfo.processInfo.environment
    #if canImport(Darwin)
      let program = "/usr/bin/open"
    #else
      let program = "xdg-open"
      // Without a desktop it would start a browser in the terminal.
      guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil else { return }
    #endif
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (stream, mode) in [(Int32(0), O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", mode, 0)
    }
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Ctrl-C in the terminal must not end the browser. The signals that this program ignores are not
    // ignored there.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))
    let texts = (
      [program, address.absoluteString].map { (text: String) in strdup(text) },
      environment.map { strdup("\($0.key)=\($0.value)") }
    )
    defer { for text in texts.0 + texts.1 { free(text) } }
    var process: pid_t = 0
    let error = posix_spawnp(
      &process, program, &actions, &attributes, texts.0 + [nil], texts.1 + [nil])
    guard error == 0 else { return }
    let child = process
    DispatchQueue.global().async {
      var status: Int32 = 0
      // Otherwise it would stay in the system's table.
      while waitpid(child, &status, 0) == -1, errno == EINTR {}
    }
  }
}
