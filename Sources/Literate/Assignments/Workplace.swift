import Foundation
import Plot

extension Grader {
  /// The result of a notebook with the answers of a student.
  struct NotebookResult {
    /// The events of the last run.
    var events: [Event] = []
    var checks: [CheckedCall] = []
    /// The names of the checks in which the program ended.
    var stopped: Set<String> = []
    /// How the notebook ended, if not well.
    var reason: String?
    var hasForgedReports = false
    var figures: URL
  }

  /// The result of a call of `check`.
  struct CheckedCall {
    /// The number of the call in the source.
    var call: Int
    var isHidden: Bool
    var result: Page.Check
  }

  /// A copy of the package in which submissions are built and run, one after the other.
  struct Workplace: Sendable {
    private let grader: Grader
    private let folder: URL
    private let copy: URL
    private let builder: ProgramBuilder
    /// The folder of the programs.
    private let programs: URL

    init(_ folder: URL, _ grader: Grader) throws {
      self.grader = grader
      self.folder = folder
      copy = folder.appending(path: "package", directoryHint: .isDirectory)
      let package = grader.package.folder.standardizedFileURL
      let scratch = grader.builder.scratch.standardizedFileURL.path(percentEncoded: false)
      let root = withSlash(package.path(percentEncoded: false))
      guard scratch.hasPrefix(root) else {
        throw NotebookError(
          "expected the package to be built in its folder \(root), got \(scratch); build it with "
            + "swift build -c release")
      }
      let inside = scratch.dropFirst(root.count).split(separator: "/").joined(separator: "/")
      try copyPackage(package, to: copy, apartFrom: grader.target, scratch: inside)
      let isMapped = grader.sandbox.isSafe
      var builder = ProgramBuilder(
        package: isMapped ? package : copy,
        scratch: isMapped ? grader.builder.scratch : copy.appending(path: inside),
        configuration: grader.builder.configuration, swift: grader.builder.swift)
      builder.sandbox = grader.sandbox.builds(grader.builder.swift, in: copy, as: package)
      self.builder = builder
      programs = copy.appending(path: "\(inside)/\(grader.builder.configuration)")
    }

    /// The teacher's files with answers.
    func sources(_ answers: (MarkedSource.Solution) -> [String]?) -> [String: GradedSource] {
      grader.package.marked.filter { $0.value.isSwift }.mapValues { source in
        GradedSource(source, keys: Self.newKey, answers: answers)
      }
    }

    private static func newKey() -> String {
      (0..<2).map { _ in String(format: "%016lx", UInt64.random(in: 0...UInt64.max)) }.joined()
    }

    /// Builds the notebooks from sources.
    func build(
      _ sources: [String: GradedSource], while goesOn: @escaping () -> Bool
    ) throws -> ProgramBuilder.Outcome {
      for (path, source) in sources {
        let file = copy.appending(path: path)
        // A file that has not changed is not built again.
        if regularFile(file).map({ $0 == Data(source.text.utf8) }) != true {
          try writeFile(source.text, to: file)
        }
      }
      let start = monotonicTime()
      var isLate = false
      for notebook in grader.notebooks {
        let outcome = try builder.build(
          notebook.name,
          while: {
            isLate = isLate || monotonicTime() - start > Grader.buildLimit
            return goesOn() && !isLate
          }, onWaiting: {})
        if isLate {
          return .failed(
            BuildReport(
              "error: the compiler took longer than \(Int(Grader.buildLimit)) s",
              package: grader.package.folder))
        }
        guard case .built = outcome else { return outcome }
      }
      return .built
    }

    /// Runs a notebook; after a check in which the program ended, once more without that check.
    ///
    /// - Returns: The result of the last run; nil if grading was interrupted.
    func run(
      _ notebook: NotebookProgram, _ sources: [String: GradedSource],
      while goesOn: @escaping () -> Bool
    ) throws -> NotebookResult? {
      let checks = sources[Grader.path(of: notebook, in: grader.package)]?.checks ?? []
      let home = folder.appending(path: "run-\(UUID())", directoryHint: .isDirectory)
      var skipped: [String: String] = [:]
      let start = monotonicTime()
      for _ in 0...(checks.count + 1) {
        let left = grader.options.timeLimit - (monotonicTime() - start)
        guard
          var result = try run(
            notebook, checks, skipping: skipped, in: home, timeLimit: max(1, left), while: goesOn)
        else { return nil }
        result.stopped = Set(skipped.keys)
        guard let check = openCheck(of: result.events) else { return result }
        let reason = result.reason ?? "the program ended in this check"
        result.reason = reason
        guard skipped.updateValue(reason, forKey: check) == nil else { return result }
      }
      throw NotebookError("\(notebook.name): its checks have other names in each run")
    }

    /// The check in which a run has ended.
    private func openCheck(of events: [Event]) -> String? {
      var open: String?
      for event in events {
        switch event {
        case .checkStart(let start): open = start.name
        case .check: open = nil
        default: break
        }
      }
      return open
    }

    private func run(
      _ notebook: NotebookProgram, _ checks: [GradedSource.CheckCall],
      skipping skipped: [String: String], in home: URL, timeLimit: Double,
      while goesOn: @escaping () -> Bool
    ) throws -> NotebookResult? {
      let figures = home.appending(path: "figures", directoryHint: .isDirectory)
      // What an earlier run has stored makes the next one faster.
      for name in ["figures", "home", "tmp"] {
        try? FileManager.default.removeItem(at: home.appending(path: name))
      }
      for name in ["figures", "home", "tmp", "cache"] {
        try FileManager.default.createDirectory(
          at: home.appending(path: name), withIntermediateDirectories: true)
      }
      let options = grader.options
      var environment = options.environment.merging([
        "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
        Session.folderVariable: figures.path(percentEncoded: false),
        SessionResults.folderVariable: home.appending(path: "cache").path(percentEncoded: false),
      ]) { $1 }
      if !skipped.isEmpty {
        environment[Session.skippedChecksVariable] = try jsonText(of: skipped, formatting: [])
      }
      let monitor = ResourceMonitor(options.limits, folder: home)
      let program = programs.appending(path: notebook.name)
      let keys = Dictionary(uniqueKeysWithValues: checks.enumerated().map { ($1.key, $0) })
      var result = NotebookResult(figures: figures)
      var (printed, reason, isStopped) = (0, String?.none, false)
      /// What the program had too much of when a check ended.
      var excess: String?
      var supervisor = Supervisor(
        program: program, arguments: options.parameters.map { "--\($0)" },
        environment: environment, timeLimit: timeLimit, recordsTimes: true, beforeCell: nil,
        stopReason: {
          if !goesOn() { isStopped = true }
          if isStopped { return "stopped" }
          if printed > Grader.printLimit { return "printed more than 10 MB" }
          return excess ?? monitor.reason()
        }, onText: { bytes, _ in printed += bytes.count },
        onEvent: { event in
          switch event {
          case .end: break
          // The program is being ended.
          default: if excess != nil { return }
          }
          switch event {
          case .checkStart(let start):
            guard let key = start.key, keys[key] != nil else { return }
          case .check(let end):
            guard let key = end.key, let call = keys[key] else {
              result.hasForgedReports = true
              return
            }
            // A fast check may have passed its limits between two looks: then its points do not count.
            excess = monitor.reason(lookingNow: true)
            guard excess == nil else { return }
            result.checks.append(
              CheckedCall(call: call, isHidden: checks[call].isHidden, result: end.result))
          case .text where printed > Grader.printLimit: return
          case .end(let ending): reason = ending.failure?.message
          default: break
          }
          result.events.append(event)
        })
      supervisor.onStart = monitor.follow
      supervisor.sandbox = { [grader] launch in
        grader.sandbox.launch(
          launch, in: home, readable: options.readable, limits: options.limits)
      }
      let ending = try supervisor.run()
      if isStopped { return nil }
      // A single large file ends the program before the monitor sees it.
      if ending == .signal(SIGXFSZ) { reason = monitor.diskSentence }
      result.reason = excess ?? reason
      return result
    }
  }

  /// The time limit of a build, in seconds.
  static let buildLimit = 300.0
  /// The number of bytes that a notebook may print.
  static let printLimit = 10 << 20
}

/// Copies a package with what was built of it. What was run, downloaded or recorded is not copied.
private func copyPackage(
  _ package: URL, to copy: URL, apartFrom target: URL, scratch: String
) throws {
  try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
  let root = withSlash(package.path(percentEncoded: false))
  let left = ["output", "data", ".git"]
  let built = scratch.split(separator: "/").first.map(String.init) ?? ""
  let names = try FileManager.default.contentsOfDirectory(atPath: root).sorted().filter { name in
    let isTarget = withSlash(target.path(percentEncoded: false)).hasPrefix("\(root)\(name)/")
    return !left.contains(name) && !isTarget && (name == built || !name.hasPrefix(".build"))
  }
  try copyFiles(names.map { "\(root)\($0)" }, to: copy)
  // Of the data, the descriptions are sources.
  if FileManager.default.fileExists(atPath: "\(root)data/raw") {
    let data = copy.appending(path: "data", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    try copyFiles(["\(root)data/raw"], to: data)
  }
}

/// Copies files and folders into a folder, with their times, which tell what is up to date.
private func copyFiles(_ paths: [String], to folder: URL) throws {
  let child = try Child(
    URL(filePath: "/bin/cp"), ["-a", "--"] + paths + [folder.path(percentEncoded: false)],
    environment: ProcessInfo.processInfo.environment)
  var text: [UInt8] = []
  child.followToEnd(while: { true }) { bytes, _ in text += bytes }
  guard child.ending == .exit(0) else {
    throw NotebookError(
      "cannot copy the package: \(plainText(String(decoding: text.prefix(500), as: UTF8.self)))")
  }
}

private func withSlash(_ path: String) -> String { path.hasSuffix("/") ? path : "\(path)/" }
