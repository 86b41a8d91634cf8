import Foundation

/// Runs programs of students apart from the machine, with bubblewrap: without network, with processes of
/// their own, and with the system's files and nothing else to read.
struct Sandbox: Sendable {
  /// The program `bwrap`; nil if programs run without a sandbox.
  private let bubblewrap: URL?

  /// Programs run without a sandbox; resources are still limited.
  static let none = Sandbox(bubblewrap: nil)

  private init(bubblewrap: URL?) { self.bubblewrap = bubblewrap }

  /// Looks for bubblewrap, and tries it.
  ///
  /// - Throws: ``NotebookError`` if it is missing or does not work here.
  init() throws {
    guard let program = ProgramBuilder.find("bwrap") else {
      throw NotebookError(
        "grading needs bubblewrap, which keeps students' programs apart: apt-get install bubblewrap; "
          + "--unsafe grades without it, for answers that you trust")
    }
    bubblewrap = program
    let child = try Child(
      program,
      ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"],
      environment: ProcessInfo.processInfo.environment)
    var text: [UInt8] = []
    let start = monotonicTime()
    child.followToEnd(while: { monotonicTime() - start < 10 }) { bytes, _ in text += bytes }
    guard child.ending == .exit(0) else {
      let reason = String(decoding: text, as: UTF8.self).split(separator: "\n").first ?? "no reason"
      throw NotebookError(
        "bubblewrap does not work here: \(plainText(String(reason))); containers need the right to "
          + "create namespaces; --unsafe grades without it, for answers that you trust")
    }
  }

  var isSafe: Bool { bubblewrap != nil }

  // MARK: Running

  /// The program in a sandbox that can read the system's files and write in one folder.
  ///
  /// - Parameters:
  ///   - launch: The program, whose folder is readable.
  ///   - folder: The folder for everything that it writes.
  ///   - readable: Further files and folders to read.
  ///   - limits: Its limits.
  func launch(
    _ launch: Supervisor.Launch, in folder: URL, readable: [URL], limits: ResourceLimits
  ) -> Supervisor.Launch {
    var launch = launch
    let path = { (url: URL) in
      let path = url.path(percentEncoded: false)
      return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
    let inner = ["home", "tmp"].map { path(folder.appending(path: $0)) }
    launch.environment["HOME"] = inner[0]
    launch.environment["TMPDIR"] = inner[1]
    let program = [path(launch.program)] + launch.arguments
    // Linux ends a process that writes more, and a memory of twice the limit is not even reserved.
    let script =
      "ulimit -c 0; ulimit -f \(limits.disk / 512); ulimit -d \(limits.memory / 512); exec \"$@\""
    let limited = ["/bin/sh", "-c", script, "sh"] + program
    guard let bubblewrap else {
      launch.program = URL(filePath: limited[0])
      launch.arguments = Array(limited.dropFirst())
      return launch
    }
    var arguments = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for folder in ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
      arguments += ["--ro-bind-try", folder, folder]
    }
    for file in ["ld.so.cache", "alternatives", "localtime", "fonts"] {
      arguments += ["--ro-bind-try", "/etc/\(file)", "/etc/\(file)"]
    }
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for url in Self.runtimeFolders + readable { arguments += ["--ro-bind", path(url), path(url)] }
    arguments += ["--ro-bind", program[0], program[0]]
    for url in [folder, launch.crashes] { arguments += ["--bind", path(url), path(url)] }
    arguments += ["--chdir", path(folder), "--remount-ro", "/", "--"]
    launch.program = bubblewrap
    launch.arguments = arguments + limited
    return launch
  }

  /// The folders outside of the system's with the libraries of this program: those of Swift.
  private static let runtimeFolders: [URL] = {
    // The system gives it in pieces, each of which looks like the end of a file.
    var bytes = Data()
    if let file = FileHandle(forReadingAtPath: "/proc/self/maps") {
      while let next = try? file.read(upToCount: 1 << 16), !next.isEmpty { bytes += next }
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let folders = text.split(separator: "\n").compactMap { line -> String? in
      guard let start = line.firstIndex(of: "/"), line.contains(".so") else { return nil }
      return URL(filePath: String(line[start...])).deletingLastPathComponent()
        .path(percentEncoded: false)
    }
    let system = ["/usr/", "/lib"]
    var all = Set(folders.filter { path in !system.contains { path.hasPrefix($0) } })
    // The program that writes crash reports is beside them.
    for folder in all where folder.hasSuffix("/lib/swift/linux/") {
      let tools = folder.dropLast("lib/swift/linux/".count) + "libexec/swift/"
      if FileManager.default.fileExists(atPath: String(tools)) { all.insert(String(tools)) }
    }
    return all.sorted().map { URL(filePath: $0, directoryHint: .isDirectory) }
  }()

  // MARK: Building

  /// The command of a build in a copy of the package that stands in the place of the package, so that
  /// everything that was built for the package is up to date.
  ///
  /// - Parameters:
  ///   - swift: The program `swift`.
  ///   - copy: The copy.
  ///   - package: The folder of the package.
  func builds(
    _ swift: URL, in copy: URL, as package: URL
  ) -> (@Sendable ([String]) -> (program: URL, arguments: [String]))? {
    guard let bubblewrap else { return nil }
    let paths = [swift, copy, package].map { $0.path(percentEncoded: false) }
    return { arguments in
      (
        bubblewrap,
        [
          "--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--ro-bind", "/",
          "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", paths[1], paths[2],
          "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--chdir", paths[2], "--",
          paths[0],
        ] + arguments + ["--manifest-cache", "local", "--disable-dependency-cache"]
      )
    }
  }
}

/// What a student's program may use.
public struct ResourceLimits: Codable, Sendable {
  /// The resident memory of all its processes, in bytes.
  public var memory = 2 << 30
  /// What it may write, in bytes.
  public var disk = 100 << 20
  /// The number of its processes at a time.
  public var processes = 32

  public init() {}
}

/// Notices when a program uses more than its limits.
final class ResourceMonitor {
  private let limits: ResourceLimits
  private let folder: URL
  private var process: pid_t?
  private var checked = 0.0

  init(_ limits: ResourceLimits, folder: URL) {
    self.limits = limits
    self.folder = folder
  }

  func follow(_ process: pid_t) { self.process = process }

  /// Why the program has to end; nil if it may go on.
  ///
  /// - Parameter isLooking: Whether to look now; else a look every 50 ms is enough.
  func reason(lookingNow isLooking: Bool = false) -> String? {
    let now = monotonicTime()
    guard let process, isLooking || now - checked > 0.05 else { return nil }
    checked = now
    let processes = Self.descendants(of: process, limit: limits.processes + 100)
    // The sandbox has processes of its own.
    if processes.count - 2 > limits.processes {
      return "started more than \(limits.processes) processes"
    }
    if processes.reduce(0, { $0 + Self.memory(of: $1) }) > limits.memory {
      return "used more than \(amountOfMemory(limits.memory)) of memory"
    }
    return Self.size(of: folder, limit: limits.disk) > limits.disk ? diskSentence : nil
  }

  /// The sentence about writing too much.
  var diskSentence: String { "wrote more than \(amountOfMemory(limits.disk))" }

  /// The processes that a process has started, with itself.
  private static func descendants(of process: pid_t, limit: Int) -> [pid_t] {
    var (found, next) = ([process], 0)
    while next < found.count, found.count <= limit {
      let folder = "/proc/\(found[next])/task"
      for thread in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        let text = try? String(contentsOfFile: "\(folder)/\(thread)/children", encoding: .utf8)
        found += (text ?? "").split(separator: " ").compactMap { pid_t($0) }
      }
      next += 1
    }
    return found
  }

  /// The resident memory of a process, without what it shares with others.
  private static func memory(of process: pid_t) -> Int {
    let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
    let pages = (text ?? "").split(separator: " ").compactMap { Int($0) }
    guard pages.count > 2 else { return 0 }
    return max(0, pages[1] - pages[2]) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The space that the files in a folder take, counted up to the limit.
  private static func size(of folder: URL, limit: Int) -> Int {
    let root = folder.path(percentEncoded: false)
    guard let walk = FileManager.default.enumerator(atPath: root) else { return 0 }
    var size = 0
    while let path = walk.nextObject() as? String, size <= limit {
      var status = stat()
      guard lstat("\(root)/\(path)", &status) == 0 else { continue }
      size += max(Int(status.st_blocks) * 512, 512)
    }
    return size
  }
}
