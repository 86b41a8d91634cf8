import ArgumentParser
import Foundation
import Lab
import Literate

extension NotebooksCommand {
  /// `lab notebooks points`
  struct Points: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run the notebooks with exercises, and show the points of their checks.")

    @OptionGroup var parameters: NotebookParameters
    @OptionGroup var limits: NotebookLimits
    @OptionGroup var results: NotebookResults
    @OptionGroup var words: NotebookLanguage

    func run() throws {
      let folders = try folders()
      let exercises = folders.all.filter(\.hasExercises)
      guard !exercises.isEmpty else {
        throw NotebookError("expected a notebook with exercises, found none")
      }
      var options = limits.options(parameters)
      results.set(&options)
      var failure: (any Error)?
      do {
        try runEach(exercises, of: folders, in: words.chosen) { try $0.run(options, on: $1) }
      } catch {
        failure = error
      }
      print()
      for notebook in exercises {
        guard let (earned, all) = notebook.points else { continue }
        print("\(notebook.name): \(pointsText(earned)) of \(pointsText(all)) points")
      }
      let changes = HandedOutExercises(folders).changes
      for change in changes { StandardError.writeLine("Warning: \(plainText(change))") }
      if let failure { throw failure }
      if !changes.isEmpty { throw ExitCode.failure }
    }
  }

  /// `lab notebooks release`
  struct Release: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the students' version of the package: without solutions and hidden tests.",
      discussion: """
        The file .release lists what students get. In those files, what is between the comments \
        // BEGIN SOLUTION: NAME and // END SOLUTION becomes a stub, and what is between \
        // BEGIN HIDDEN TESTS and // END HIDDEN TESTS is left out. Files in the folder Students take \
        the places of the package's own.
        """)

    @Argument(help: "The folder for the package, new or empty.")
    var folder: String

    func run() throws {
      let target = URL(filePath: folder, directoryHint: .isDirectory)
      let summary = try Literate.Release(folders()).write(to: target)
      let count = summary.exercises.count
      print("\(folder): \(summary.files) files, \(count) exercise\(count == 1 ? "" : "s"):")
      for name in summary.exercises { print("  \(name)") }
    }
  }

  /// `lab notebooks grade`
  struct Grade: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Grade submissions: build and run each apart, with the hidden tests.",
      discussion: """
        SUBMISSIONS is a folder with one folder, archive or Swift file for each student, whose name \
        is that of the student. Only the answers are taken from it; everything else is from this \
        package. Programs of students run in a sandbox without network, and within limits. A \
        grading that was interrupted goes on where it was.

          lab notebooks grade submissions --to grades --quick --jobs 2
        """)

    @Argument(help: "The folder with the submissions.")
    var submissions: String

    @Option(name: .customLong("to"), help: "The folder for the points and the students' pages.")
    var target: String

    @Option(help: "The number of submissions that are graded at the same time.", transform: number)
    var jobs: Int?

    @OptionGroup var parameters: NotebookParameters

    @Option(
      name: .customLong("time_limit"), help: "The time limit of a notebook in seconds.",
      transform: number)
    var timeLimit = 600.0

    @Option(
      name: .customLong("memory_mb"), help: "The memory that a notebook may use, in megabytes.",
      transform: number)
    var memory = 2000

    @Option(
      name: .customLong("disk_mb"), help: "What a notebook may write, in megabytes.",
      transform: number)
    var disk = 100

    @Option(help: "The number of processes that a notebook may have.", transform: number)
    var processes = 32

    @Flag(help: "Grade without a sandbox: only for answers that you trust.")
    var unsafe = false

    func validate() throws {
      for (name, value) in [("memory_mb", memory), ("disk_mb", disk), ("processes", processes)]
      where value < 1 || value > 1_000_000 {
        throw ValidationError("--\(name): expected a number from 1 to 1000000, got \(value)")
      }
      if let jobs, jobs < 1 { throw ValidationError("--jobs: expected at least 1, got \(jobs)") }
      guard timeLimit > 0 else {
        throw ValidationError("--time_limit: expected seconds above 0, got \(timeLimit)")
      }
    }

    func run() throws {
      let cores = ProcessInfo.processInfo.activeProcessorCount
      var options = Grader.Options(parameters: parameters.values)
      options.jobs = jobs ?? max(1, cores / 2)
      options.timeLimit = timeLimit
      options.limits.memory = memory << 20
      options.limits.disk = disk << 20
      options.limits.processes = processes
      options.isUnsafe = unsafe
      let data = DataFolder.standard.url.standardizedFileURL
      let folders = try folders()
      options.environment = folders.environment
      options.environment["LAB_DATA_DIR"] = data.path(percentEncoded: false)
      options.environment["LAB_THREADS"] =
        folders.environment["LAB_THREADS"] ?? "\(max(1, cores / options.jobs))"
      if FileManager.default.fileExists(atPath: data.path(percentEncoded: false)) {
        options.readable = [data]
      }
      let target = URL(filePath: target, directoryHint: .isDirectory)
      let grader = try Grader(folders, to: target, options)
      let scratch = FileManager.default.temporaryDirectory.appending(
        path: "submissions-\(UUID())", directoryHint: .isDirectory)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let found = try Self.submissions(
        in: URL(filePath: submissions, directoryHint: .isDirectory), scratch)
      do {
        let grades = try grader.grade(found) { StandardError.writeLine(plainText($0)) }
        let width = grades.map(\.student.count).max() ?? 0
        for grade in grades {
          let name = plainText(grade.student).padding(
            toLength: width, withPad: " ", startingAt: 0)
          print("\(name)  \(grade.amount)\(grade.notes.isEmpty ? "" : "  (see notes)")")
        }
        print("Points: \(target.appending(path: "grades.csv").relativePath)")
        print("Pages: \(target.appending(path: "index.html").relativePath)")
      } catch is NotebookInterruption {
        StandardError.writeLine(
          "Interrupted. What was graded is kept; the same command goes on from there.")
        throw ExitCode(NotebookInterruption.exitStatus)
      }
    }

    /// The submissions in a folder, sorted by name.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - scratch: A folder for what is unpacked from archives.
    private static func submissions(in folder: URL, _ scratch: URL) throws -> [Grader.Submission] {
      let path = folder.path(percentEncoded: false)
      guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
        throw NotebookError("expected a folder with submissions, cannot read \(path)")
      }
      var found: [Grader.Submission] = []
      for name in names.sorted() where !name.hasPrefix(".") {
        let file = folder.appending(path: name)
        var isFolder: ObjCBool = false
        guard
          FileManager.default.fileExists(
            atPath: file.path(percentEncoded: false), isDirectory: &isFolder)
        else { continue }
        if isFolder.boolValue {
          found.append(.init(student: name, folder: file))
          continue
        }
        guard let ending = endings.first(where: { name.lowercased().hasSuffix($0) }) else {
          StandardError.writeLine(
            "Warning: \(plainText(name)) is neither a folder nor an archive nor a Swift file; left out"
          )
          continue
        }
        let student = String(name.dropLast(ending.count))
        if ending == ".swift" {
          found.append(.init(student: student, folder: file))
          continue
        }
        do {
          let target = scratch.appending(path: name, directoryHint: .isDirectory)
          try unpack(file, to: target)
          found.append(.init(student: student, folder: target))
        } catch {
          found.append(
            .init(student: student, folder: nil, problem: "the archive was not read: \(error)"))
        }
      }
      let students = Dictionary(grouping: found, by: \.student)
      if let twice = students.first(where: { $1.count > 1 || $0.isEmpty }) {
        throw NotebookError(
          "expected one submission of each student, found several of \(twice.key)")
      }
      guard !found.isEmpty else {
        throw NotebookError("\(path): expected a folder for each student, found none")
      }
      return found
    }

    private static let endings = [
      ".swift", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2",
    ]

    /// Unpacks the Swift files of an archive.
    private static func unpack(_ archive: URL, to target: URL) throws {
      let members = try Archive.members(of: archive, form: .any, limit: 16 << 20) { path in
        path.hasSuffix(".swift") && !path.hasPrefix("/")
          && !path.split(separator: "/").contains("..")
      }
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
      for (path, bytes) in members {
        let file = target.appending(path: path)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file, options: .atomic)
      }
    }
  }
}
