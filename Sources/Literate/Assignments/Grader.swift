import Foundation
import Plot
import Synchronization

/// Grades submissions: builds and runs the notebooks with the answers of each student, apart from each
/// other and from the machine.
public struct Grader: Sendable {
  /// The options of a grading.
  public struct Options: Sendable {
    /// The values of the notebooks' parameters, as `name=value`.
    public var parameters: [String]
    /// The number of submissions that are graded at the same time.
    public var jobs = 1
    /// The time limit of a run of a notebook, in seconds.
    public var timeLimit = 600.0
    public var limits = ResourceLimits()
    /// Whether to grade without a sandbox.
    public var isUnsafe = false
    /// Further environment variables of the notebooks.
    public var environment: [String: String] = [:]
    /// Folders that the notebooks read, such as that of the data.
    public var readable: [URL] = []

    public init(parameters: [String] = []) {
      self.parameters = parameters
    }
  }

  /// A submission: the folder with a student's files, or a single file.
  public struct Submission: Sendable {
    public var student: String
    /// Nil if the submission could not be read.
    public var folder: URL?
    /// Why it could not be read.
    public var problem: String?

    public init(student: String, folder: URL?, problem: String? = nil) {
      self.student = student
      self.folder = folder
      self.problem = problem
    }
  }

  let package: AssignmentPackage
  let notebooks: [NotebookProgram]
  let builder: ProgramBuilder
  let options: Options
  let sandbox: Sandbox
  let target: URL

  /// - Parameters:
  ///   - folders: The notebooks of the teacher's package.
  ///   - target: The folder for the points and pages.
  ///   - options: The options.
  /// - Throws: ``NotebookError`` if the package has no exercises, or if there is no sandbox.
  public init(_ folders: NotebookFolders, to target: URL, _ options: Options) throws {
    try self.init(
      folders, package: try AssignmentPackage(folders.package), to: target, options)
  }

  /// The same for a package whose list of files is somewhere else.
  package init(
    _ folders: NotebookFolders, package: AssignmentPackage, to target: URL, _ options: Options
  ) throws {
    self.package = package
    guard let builder = folders.builder else {
      throw NotebookError(
        "grading builds the submissions: expected a package built with swift build, got programs alone"
      )
    }
    self.builder = builder
    self.options = options
    self.target = target.standardizedFileURL
    let exercises = package.exercises
    notebooks = folders.all.filter { notebook in
      exercises.contains {
        $0.path == Self.path(of: notebook, in: package)
          && !GradedSource($0, keys: { "" }, answers: { $0.lines }).checks.isEmpty
      }
    }
    guard !notebooks.isEmpty else {
      throw NotebookError(
        "expected a notebook with exercises and check(…), found none among the files that "
          + "\(AssignmentPackage.listName) lists")
    }
    sandbox = options.isUnsafe ? .none : try Sandbox()
  }

  static func path(of notebook: NotebookProgram, in package: AssignmentPackage) -> String {
    let root = package.folder.standardizedFileURL.path(percentEncoded: false)
    let file = notebook.file.standardizedFileURL.path(percentEncoded: false)
    return String(file.dropFirst(root.hasSuffix("/") ? root.count : root.count + 1))
  }

  // MARK: The class

  /// Grades all submissions. What was graded before from the same answers is not graded again.
  ///
  /// - Parameters:
  ///   - submissions: The submissions.
  ///   - say: Called with what happens, line by line.
  /// - Returns: The grades, in the order of the submissions.
  /// - Throws: ``NotebookError`` if the model solution does not get all points, ``NotebookInterruption``,
  ///   or an error if a file cannot be written.
  public func grade(
    _ submissions: [Submission], _ say: @escaping @Sendable (String) -> Void
  ) throws -> [Grade] {
    let interruption = Interruption()
    defer { interruption.stop() }
    let digest = try teacherDigest
    var grades = submissions.map { storedGrade(of: $0, digest) }
    let missing = grades.indices.filter { grades[$0] == nil }
    if missing.count < grades.count {
      say("\(grades.count - missing.count) of \(grades.count) were graded before")
    }
    guard !missing.isEmpty else {
      let all = grades.compactMap(\.self)
      try GradeBook(folder: target, grades: all).write()
      return all
    }
    say(sandbox.isSafe ? "Running in a sandbox, without network" : "Running without a sandbox")
    let folder = try LockedFolder(
      target.appending(path: ".work", directoryHint: .isDirectory),
      busy: "another grading writes to \(target.path(percentEncoded: false))")
    let places = (0..<max(1, min(options.jobs, missing.count))).map {
      folder.url.appending(path: "\($0 + 1)", directoryHint: .isDirectory)
    }
    let first = try Workplace(places[0], self)
    let model = try modelResults(in: first, say, interruption)
    let done = Mutex(grades)
    let next = Mutex(0)
    let problem = Mutex<(any Error)?>(nil)
    let work: @Sendable (Workplace) -> Void = { place in
      while !interruption.hasOccurred, problem.withLock({ $0 == nil }) {
        let turn = next.withLock { next in
          defer { next += 1 }
          return next
        }
        guard turn < missing.count else { return }
        let submission = submissions[missing[turn]]
        let start = monotonicTime()
        do {
          guard
            let grade = try grade(
              submission, digest, model, in: place,
              while: {
                !interruption.hasOccurred
              })
          else { return }
          try done.withLock { grades in
            grades[missing[turn]] = grade
            // Under the lock, so that an earlier list does not replace a later one.
            try GradeBook(folder: target, grades: grades.compactMap(\.self)).write()
          }
          say(
            "\(submission.student): \(grade.amount) points "
              + "(\(Language.english.duration(monotonicTime() - start)))")
        } catch {
          problem.withLock { $0 = error }
        }
      }
    }
    DispatchQueue.concurrentPerform(iterations: places.count) { number in
      do {
        work(number == 0 ? first : try Workplace(places[number], self))
      } catch {
        problem.withLock { $0 = error }
      }
    }
    if let error = problem.withLock({ $0 }) { throw error }
    withExtendedLifetime(folder) {}
    grades = done.withLock { $0 }
    let all = grades.compactMap(\.self)
    try GradeBook(folder: target, grades: all).write()
    guard all.count == grades.count else { throw NotebookInterruption(name: "grading") }
    return all
  }

  /// The checksum of all that points depend on, apart from the answers.
  private var teacherDigest: String {
    get throws {
      var sum = Checksum()
      sum.add(PackageSources(package.folder).checksum)
      for notebook in notebooks {
        for file in try filesBelow(notebook.file.deletingLastPathComponent())
        where file.pathExtension == "swift" {
          sum.add(try Data(contentsOf: file))
        }
      }
      // Results do not depend on the number of threads, which that of jobs decides.
      sum.add(try jsonText(of: options.environment.filter { $0.key != "LAB_THREADS" }))
      sum.add(options.parameters.joined(separator: "\n"))
      sum.add(try jsonText(of: options.limits))
      sum.add("\(options.timeLimit) \(sandbox.isSafe)")
      return sum.text
    }
  }

  private func digest(of answers: Answers, _ teacher: String) throws -> String {
    var sum = Checksum()
    sum.add(teacher)
    sum.add(try jsonText(of: answers.lines))
    sum.add(answers.notes.joined(separator: "\n"))
    return sum.text
  }

  private func answers(of submission: Submission) -> Answers {
    submission.folder.map { Answers(in: $0, for: package.exercises) } ?? Answers()
  }

  private func record(of submission: Submission) -> URL {
    GradeBook.folder(of: submission.student, in: target).appending(path: "grade.json")
  }

  private func storedGrade(of submission: Submission, _ teacher: String) -> Grade? {
    guard submission.folder != nil, let data = regularFile(record(of: submission)),
      let grade = try? JSONDecoder().decode(Grade.self, from: data),
      let digest = try? digest(of: answers(of: submission), teacher), grade.digest == digest
    else { return nil }
    return grade
  }

  // MARK: The model solution

  /// What the model solution gets: the checks that there are, in order.
  private func modelResults(
    in place: Workplace, _ say: (String) -> Void, _ interruption: Interruption
  ) throws -> [NotebookResult] {
    say("Building and running the model solution")
    let goesOn = { !interruption.hasOccurred }
    let sources = place.sources { $0.lines }
    switch try place.build(sources, while: goesOn) {
    case .stopped: throw NotebookInterruption(name: "grading")
    case .built: break
    case .failed(let report):
      throw NotebookError("the model solution does not build: \(report.summary)\n\(report.details)")
    }
    let results = try notebooks.map { notebook in
      guard let result = try place.run(notebook, sources, while: goesOn) else {
        throw NotebookInterruption(name: "grading")
      }
      if let reason = result.reason {
        throw NotebookError("\(notebook.name): the model solution fails: \(reason)")
      }
      return result
    }
    let sum = PointSum(results.flatMap { $0.checks.map(\.result) })
    if let missed = results.flatMap(\.checks).first(where: { $0.result.earned < $0.result.points })
    {
      throw NotebookError(
        "the model solution gets \(sum.text) points: "
          + missed.result.text(in: .english).replacing("\n", with: " ")
          + "; mend the solution or the check before grading")
    }
    guard sum.points > 0 else {
      throw NotebookError("expected checks with points, but the model solution reached none")
    }
    say("The model solution: \(sum.text) points")
    return results
  }

  // MARK: A student

  /// - Returns: The grade; nil if grading was interrupted.
  private func grade(
    _ submission: Submission, _ teacher: String, _ model: [NotebookResult], in place: Workplace,
    while goesOn: @escaping () -> Bool
  ) throws -> Grade? {
    let answers = answers(of: submission)
    var notes = answers.notes
    if let problem = submission.problem { notes = [problem] }
    var left: [String: String] = [:]
    guard let sources = try sources(answers, &left, in: place, while: goesOn) else { return nil }
    for (name, reason) in left.sorted(by: { $0.key < $1.key }) {
      notes.append("“\(name)” was left out: \(reason)")
    }
    var grade = Grade(
      student: submission.student, checks: [], notes: [],
      digest: try digest(of: answers, teacher))
    let folder = GradeBook.folder(of: submission.student, in: target)
    var pages: [(NotebookProgram, NotebookResult)] = []
    for (notebook, expected) in zip(notebooks, model) {
      guard let result = try place.run(notebook, sources, while: goesOn) else { return nil }
      if let reason = result.reason { notes.append("\(notebook.name) \(reason)") }
      if result.hasForgedReports {
        notes.append("\(notebook.name) reported points that no check gave; they do not count")
      }
      for check in expected.checks {
        let own = result.checks.filter {
          $0.call == check.call && $0.result.name == check.result.name
        }
        let earned = own.map(\.result.earned).min() ?? 0
        var message = own.first?.result.message
        if own.isEmpty {
          message = result.reason.map { "not run: the notebook \($0)" } ?? "not run"
        }
        // What a hidden check says would tell what it checks.
        if check.isHidden, !own.isEmpty, !result.stopped.contains(check.result.name) {
          message = nil
        }
        grade.checks.append(
          .init(
            notebook: notebook.name, name: check.result.name, points: check.result.points,
            earned: min(earned, check.result.points), isHidden: check.isHidden, message: message))
      }
      pages.append((notebook, result))
    }
    grade.notes = notes
    for (notebook, result) in pages {
      try write(
        page(of: notebook, result, sources, grade), to: folder.appending(path: notebook.name),
        figures: result.figures)
      try? FileManager.default.removeItem(at: result.figures.deletingLastPathComponent())
    }
    try writeFile(try jsonText(of: grade), to: record(of: submission))
    return grade
  }

  /// The sources with the answers, built. Answers that do not compile are left out.
  ///
  /// - Parameter left: Why answers were left out, by the name of the exercise.
  /// - Returns: The sources; nil if grading was interrupted.
  private func sources(
    _ answers: Answers, _ left: inout [String: String], in place: Workplace,
    while goesOn: @escaping () -> Bool
  ) throws -> [String: GradedSource]? {
    for (name, lines) in answers.lines {
      if let reason = refusal(of: lines) { left[name] = reason }
    }
    func attempt(_ left: [String: String]) throws -> (
      [String: GradedSource], ProgramBuilder.Outcome
    ) {
      let sources = place.sources { left[$0.name] == nil ? answers.lines[$0.name] : nil }
      return (sources, try place.build(sources, while: goesOn))
    }
    // Each attempt leaves out at least one more answer.
    for _ in 0...answers.lines.count {
      let (sources, outcome) = try attempt(left)
      guard case .failed(let report) = outcome else {
        if case .stopped = outcome { return nil }
        return sources
      }
      let before = left.count
      for error in report.errors {
        guard let file = error.file, let line = error.line, let source = sources[file],
          let name = source.exercise(atLine: line), left[name] == nil
        else { continue }
        left[name] = "it does not compile, line \(source.shownLine(line) ?? line): \(error.message)"
      }
      if left.count == before { break }
    }
    // The errors are in the teacher's lines: an answer has not the names and types that they use. One
    // after the other is tried.
    let broken =
      "the notebook does not compile with it; look for a missing brace, and keep names and types as they "
      + "were handed out"
    let names = answers.lines.keys.filter { left[$0] == nil }.sorted()
    for name in names { left[name] = broken }
    for name in names {
      left[name] = nil
      let (sources, outcome) = try attempt(left)
      switch outcome {
      case .stopped: return nil
      case .built: if names.allSatisfy({ left[$0] == nil }) { return sources }
      case .failed: left[name] = broken
      }
    }
    let (sources, outcome) = try attempt(left)
    switch outcome {
    case .stopped: return nil
    case .built: return sources
    case .failed(let report):
      throw NotebookError(
        "the package does not build without answers; check the stubs: \(report.summary)")
    }
  }

  // MARK: The student's page

  private func page(
    of notebook: NotebookProgram, _ result: NotebookResult, _ sources: [String: GradedSource],
    _ grade: Grade
  ) -> Page {
    guard let source = sources[Self.path(of: notebook, in: package)] else {
      return Page(name: notebook.name, title: notebook.title)
    }
    let hidden = Set(grade.checks.filter(\.isHidden).map(\.name))
    let events = result.events.map { event -> Event in
      switch event {
      case .check(var end):
        end.key = nil
        if hidden.contains(end.result.name), !result.stopped.contains(end.result.name) {
          end.result.message = nil
        }
        return .check(end)
      case .failure(var failure):
        failure.line = failure.line.flatMap(source.shownLine)
        return .failure(failure)
      case .end(var ending):
        let line = ending.failure?.line.flatMap(source.shownLine)
        ending.failure?.line = line
        return .end(ending)
      default: return event
      }
    }
    var page = Page(
      notebook.name, NotebookSource(source.shownText, name: notebook.name), events)
    let notes = grade.notes.map { "- \(escapedForMarkdown($0))" }.joined(separator: "\n")
    page.introduction = joinedBlocks([
      "**\(escapedForMarkdown(grade.student)): \(grade.amount) points**", notes, page.introduction,
    ])
    return page
  }

  private func write(_ page: Page, to folder: URL, figures: URL) throws {
    for cell in page.cells {
      for output in cell.outputs {
        let figure: Page.Figure? =
          switch output {
          case .figure(let figure): figure
          case .inspection(let inspection): inspection.figure
          default: nil
          }
        if let figure, let png = figureBytes(figure, in: figures) {
          try writeFile(
            Array(png), to: folder.appending(path: figure.file).path(percentEncoded: false))
        }
      }
    }
    try PageWriter(page, place: .alone).write(to: folder)
  }
}
