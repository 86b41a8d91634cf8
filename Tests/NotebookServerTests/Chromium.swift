import Foundation
import Testing

/// A headless Chromium that is driven over its DevTools protocol, through a pipe.
///
/// Source: https://chromedevtools.github.io/devtools-protocol/
final class Chromium {
  private let process: pid_t
  private let commands: Int32
  private let answers: Int32
  private let profile: URL
  private var received: [UInt8] = []
  private var last = 0

  static let path: String? = {
    let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
    let names = ["chromium", "chromium-browser", "google-chrome"]
    let paths =
      folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
      + ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
    return paths.first(where: FileManager.default.isExecutableFile(atPath:))
  }()

  init() throws {
    let path = try #require(Self.path)
    profile = FileManager.default.temporaryDirectory.appending(path: "chromium-\(UUID())")
    var (toBrowser, fromBrowser): ([Int32], [Int32]) = ([0, 0], [0, 0])
    try #require(pipe(&toBrowser) == 0 && pipe(&fromBrowser) == 0)
    // Clear of the numbers that the browser expects.
    let ends = (toBrowser + fromBrowser).map { end in
      defer { close(end) }
      return fcntl(end, F_DUPFD_CLOEXEC, 10)
    }
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[0], 3)
    posix_spawn_file_actions_adddup2(&actions, ends[3], 4)
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let arguments = [
      path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
      "--user-data-dir=\(profile.path)", "about:blank",
    ]
    let texts = arguments.map { (text: String) in strdup(text) }
    defer { for text in texts { free(text) } }
    var process: pid_t = 0
    let error = posix_spawn(&process, path, &actions, &attributes, texts + [nil], environ)
    close(ends[0])
    close(ends[3])
    (self.process, commands, answers) = (process, ends[1], ends[2])
    try #require(error == 0)
  }

  deinit {
    kill(-process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    close(commands)
    close(answers)
    try? FileManager.default.removeItem(at: profile)
  }

  /// Sends a command and waits for its answer.
  func command(
    _ method: String, _ parameters: [String: Any] = [:], session: String? = nil
  ) throws -> [String: Any] {
    last += 1
    var message: [String: Any] = ["id": last, "method": method, "params": parameters]
    message["sessionId"] = session
    let bytes = Array(try JSONSerialization.data(withJSONObject: message)) + [0]
    try #require(write(commands, bytes, bytes.count) == bytes.count)
    let limit = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < limit {
      while let end = received.firstIndex(of: 0) {
        let data = Data(received[..<end])
        received.removeSubrange(...end)
        let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        guard answer?["id"] as? Int == last else { continue }
        // A window that is just loading answers with an error.
        return answer?["result"] as? [String: Any] ?? [:]
      }
      var end = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
      guard poll(&end, 1, 1_000) > 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(answers, &buffer, buffer.count)
      guard count > 0 else { break }
      received += buffer[..<count]
    }
    throw CocoaError(.fileReadUnknown)
  }

  /// A window of the browser.
  struct Tab {
    let browser: Chromium
    let session: String

    /// The value of an expression, as text.
    func value(_ expression: String) throws -> String {
      let answer = try browser.command(
        "Runtime.evaluate", ["expression": "String(\(expression))", "returnByValue": true],
        session: session)
      return (answer["result"] as? [String: Any])?["value"] as? String ?? ""
    }

    /// Waits until an expression is true.
    func wait(
      for expression: String, seconds: Double = 30, location: SourceLocation = #_sourceLocation
    ) throws {
      let limit = ContinuousClock.now + .seconds(seconds)
      while ContinuousClock.now < limit {
        if try value(expression) == "true" { return }
        usleep(30_000)
      }
      let state = try value("document.getElementById('state')?.textContent")
      Issue.record("expected \(expression); the state is \(state)", sourceLocation: location)
    }

    /// Waits for the words of the state line.
    func wait(forState text: String, location: SourceLocation = #_sourceLocation) throws {
      try wait(
        for: "document.getElementById('state').textContent.startsWith('\(text)')",
        location: location)
    }

    func click(_ selector: String) throws {
      _ = try value("document.querySelector('\(selector)').click()")
    }
  }

  func open(_ address: URL) throws -> Tab {
    let target = try command("Target.createTarget", ["url": address.absoluteString])
    let identifier = try #require(target["targetId"] as? String)
    let session = try command(
      "Target.attachToTarget", ["targetId": identifier, "flatten": true])
    let tab = Tab(browser: self, session: try #require(session["sessionId"] as? String))
    try tab.wait(for: "document.readyState === 'complete' && !!document.getElementById('state')")
    return tab
  }
}
