import Foundation

/// Runs a notebook as a child process and reports events as they happen. However the process ends,
/// everything that it has printed is reported.
struct Supervisor {
  var program: URL
  var arguments: [String]
  var environment: [String: String]
  /// The time limit in seconds.
  var timeLimit: Double?
  /// Whether to report times, memory and progress, which differ from run to run.
  var recordsTimes = true
  /// Called before each cell, and again every 20 ms as long as it answers ``Answer/wait``. `nil` if
  /// cells do not wait.
  var beforeCell: ((Event.Opening) -> Answer)?
  /// Called every 20 ms; the run is stopped when it gives a reason.
  var stopReason: () -> String? = { nil }
  /// Puts the program into a sandbox; `nil` if it runs as it is.
  var sandbox: ((Launch) -> Launch)?
  /// Called with text as it is printed.
  var onText: ([UInt8], Page.Stream) -> Void
  var onEvent: (Event) -> Void

  /// Called with the process once it has started.
  var onStart: (pid_t) -> Void = { _ in }

  /// A program that is about to be started.
  struct Launch {
    var program: URL
    var arguments: [String]
    var environment: [String: String]
    /// The folder for the report of a crash.
    var crashes: URL
  }

  /// What happens with a cell that is about to run.
  enum Answer {
    case run, wait, stop
  }

  /// Runs the notebook to its end.
  ///
  /// - Returns: How the process ended.
  /// - Throws: ``NotebookError`` if it cannot be started.
  func run() throws -> Child.Ending {
    let crashes = FileManager.default.temporaryDirectory.appending(path: "notebook-\(UUID())")
    try FileManager.default.createDirectory(at: crashes, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: crashes) }
    var launch = Launch(
      program: program, arguments: arguments,
      environment: environment.merging(
        runnerSettings(
          waitsForCells: beforeCell != nil, recordsTimes: recordsTimes, crashes: crashes)
      ) { $1 }, crashes: crashes)
    if let sandbox { launch = sandbox(launch) }
    let child = try Child(launch.program, launch.arguments, environment: launch.environment)
    defer { child.end() }
    onStart(child.process)
    var run = SupervisedRun(supervisor: self, child: child)
    run.follow()
    guard var ending = child.ending else {
      throw NotebookError("expected \(program.lastPathComponent) to have ended, but it is running")
    }
    // A sandbox reports the signal that ended its program as shells do.
    if sandbox != nil, case .exit(let status) = ending, status > 128 {
      ending = .signal(status - 128)
    }
    run.finish(ending, crash: CrashReport(in: crashes))
    return ending
  }
}

/// The environment variables with which a runner starts a notebook.
///
/// - Parameters:
///   - waitsForCells: Whether each cell waits for a line on standard input.
///   - recordsTimes: Whether times are shown.
///   - figures: The folder for figures; `nil` if it is set elsewhere.
///   - crashes: The folder for the report of a crash.
package func runnerSettings(
  waitsForCells: Bool = false, recordsTimes: Bool = true, figures: URL? = nil, crashes: URL
) -> [String: String] {
  var settings = [
    Session.runnerVariable: waitsForCells ? "step" : "run",
    Session.timelessVariable: recordsTimes ? "" : "yes",
    // The runner adapts progress bars to its own standard error.
    "PROGRESS_BARS": "live",
    "SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no,threads=crashed,registers=none,"
      + "images=none,output-to=\(crashes.path(percentEncoded: false))",
  ]
  settings[Session.folderVariable] = figures?.path(percentEncoded: false)
  return settings
}

/// The state of a run.
private struct SupervisedRun {
  let supervisor: Supervisor
  let child: Child
  private var frames = FrameReader()
  private var transcript = Transcript()
  private var diagnosis = Diagnosis()
  private var notice = CrashNotice()
  private let started = monotonicTime()
  /// The start time of the current cell; `nil` before the first one.
  private var cellStarted: Double?
  /// The check that runs, and since when.
  private var check: (start: Event.CheckStart, since: Double)?
  /// The cell that waits for the runner, and since when.
  private var waiting: (opening: Event.Opening, since: Double)?
  /// The time that cells have waited, which is not the notebook's own.
  private var waited = 0.0

  init(supervisor: Supervisor, child: Child) {
    self.supervisor = supervisor
    self.child = child
    for end in [child.output, child.errors] {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
    }
  }

  /// Follows the program until it has ended and its pipes are empty.
  mutating func follow() {
    let interruption = Interruption()
    defer { interruption.stop() }
    var pipes = [child.errors, child.output].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    // A process started by the notebook may hold the pipes open after its end.
    while !child.hasEnded() || pipes.contains(where: { $0.revents & Int16(POLLIN) != 0 }) {
      if interruption.hasOccurred, diagnosis.reason == nil { stop(Page.State.interruption) }
      if diagnosis.reason == nil, let reason = supervisor.stopReason() { stop(reason) }
      askAgain()
      let seconds = monotonicTime() - started - waited
      if let limit = supervisor.timeLimit, seconds > limit, diagnosis.reason == nil {
        stop("exceeded the time limit of \(text(of: limit)) s")
      }
      if let check, monotonicTime() - check.since > check.start.timeLimit, diagnosis.reason == nil {
        stop("the check took longer than \(text(of: check.start.timeLimit)) s")
      }
      _ = poll(&pipes, nfds_t(pipes.count), 20)
      read()
      // A closed pipe is always ready.
      for index in pipes.indices where pipes[index].revents & Int16(POLLIN) == 0 {
        if pipes[index].revents & Int16(POLLHUP) != 0 { pipes[index].fd = -1 }
      }
    }
    while read() {}
  }

  private mutating func stop(_ reason: String) {
    diagnosis.reason = reason
    child.end()
  }

  /// Reads a limited amount from each pipe, so that the time limit also holds for a program that never
  /// stops printing.
  ///
  /// - Returns: Whether there was anything to read.
  @discardableResult
  private mutating func read() -> Bool {
    let (errors, output) = (contents(of: child.errors), contents(of: child.output))
    if let errors {
      for piece in frames.read(errors) { take(piece) }
    }
    if let output { take(.text(output, .standardOutput)) }
    return errors != nil || output != nil
  }

  /// The bytes in a pipe; `nil` if it is empty.
  private func contents(of pipe: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = Foundation.read(pipe, &bytes, bytes.count)
    return count > 0 ? Array(bytes[..<count]) : nil
  }

  private mutating func take(_ piece: FrameReader.Piece) {
    switch piece {
    case .text(let bytes, let stream):
      if stream == .standardError { diagnosis.read(bytes) }
      supervisor.onText(bytes, stream)
      report(transcript.read(bytes, from: stream))
    case .event(.cell(let opening)): open(opening)
    case .event(let event):
      if case .time(let line) = event {
        supervisor.onText(Array("\(line.text)\n".utf8), .standardError)
      }
      switch event {
      case .checkStart(let start): check = (start, monotonicTime())
      case .check: check = nil
      default: break
      }
      report(transcript.flush() + [event])
      if case .start = event { child.resume() }
    }
  }

  private mutating func open(_ opening: Event.Opening) {
    let now = monotonicTime()
    let called = opening.time ?? now
    endCell(at: called, peakMemory: opening.peakMemory)
    var reported = opening
    (reported.time, reported.peakMemory) = (nil, nil)
    report([.cell(reported)])
    cellStarted = called
    guard supervisor.beforeCell != nil else { return }
    waiting = (reported, now)
    askAgain()
  }

  /// Asks whether the cell that waits is to run.
  private mutating func askAgain() {
    guard let (opening, since) = waiting, let beforeCell = supervisor.beforeCell else { return }
    switch beforeCell(opening) {
    case .run: child.resume()
    case .stop: stop("stopped")
    case .wait: return
    }
    waiting = nil
    let seconds = monotonicTime() - since
    waited += seconds
    cellStarted = cellStarted.map { $0 + seconds }
  }

  private mutating func endCell(at time: Double, peakMemory: Int?) {
    report(transcript.flush())
    guard let start = cellStarted else { return }
    cellStarted = nil
    report([
      .cellEnd(
        supervisor.recordsTimes
          ? .init(seconds: milliseconds(time - start), peakMemory: peakMemory) : .init())
    ])
  }

  /// Reports the last events after the end of the program.
  mutating func finish(_ ending: Child.Ending, crash: CrashReport?) {
    for piece in frames.finish() { take(piece) }
    let now = monotonicTime()
    endCell(at: now, peakMemory: child.peakMemory)
    report([
      .end(
        .init(
          failure: diagnosis.failure(of: ending, crash: crash),
          seconds: supervisor.recordsTimes ? milliseconds(now - started - waited) : nil))
    ])
  }

  private mutating func report(_ events: [Event]) {
    for event in events {
      if !supervisor.recordsTimes {
        switch event {
        case .progress, .time, .cached: continue
        default: break
        }
      }
      notice.filter(event).forEach(supervisor.onEvent)
    }
  }

  /// Seconds, rounded to milliseconds.
  private func milliseconds(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }

  private func text(of seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
  }
}
