import ArgumentParser
import Foundation
import Lab
import Literate

/// `lab notebooks`: runs notebooks and writes their pages.
struct NotebooksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notebooks", abstract: "Run notebooks and write their pages.",
    discussion: """
      A notebook can be named by its number or by the beginning of its name, such as 1 or 01. Pages \
      are written to output (or LAB_OUTPUT_DIR). A notebook is built before it is run, if a source \
      has changed.

        lab notebooks run --all --quick
        lab notebooks run 01 -p seed=7 -p max_epochs=2
        lab notebooks step 02
        lab notebooks watch 02
      """,
    subcommands: [
      List.self, New.self, Run.self, Watch.self, Step.self, Check.self, Render.self,
      Export.self, Translate.self, Cache.self,
      Points.self, Release.self, Grade.self,
    ])

  /// The notebooks of this package.
  static func folders() throws -> NotebookFolders {
    let program = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    // Results depend on these variables, but not on the output folder and the language.
    let environment = ProcessInfo.processInfo.environment.filter {
      $0.key.hasPrefix("LAB_") && !["LAB_OUTPUT_DIR", Language.variable].contains($0.key)
    }
    return try NotebookFolders(
      beside: program, output: OutputFolder.url, command: "lab notebooks",
      environment: environment)
  }
}

extension NotebooksCommand {
  /// `lab notebooks list`
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the notebooks with the state of their last runs.")

    func run() throws {
      for notebook in try folders().all {
        print(plainText("\(notebook.name)  \(notebook.title)  (\(notebook.state.words))"))
      }
    }
  }

  /// `lab notebooks run`
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run notebooks, and write their pages and the gallery.")

    @OptionGroup var names: NotebookNames
    @OptionGroup var parameters: NotebookParameters
    @OptionGroup var limits: NotebookLimits
    @OptionGroup var results: NotebookResults
    @OptionGroup var words: NotebookLanguage

    @Flag(help: "Run notebooks even if nothing has changed since their last run.")
    var force = false

    @Flag(
      name: .customLong("no_timing"),
      help: "Leave out times and memory, so that two runs give the same bytes.")
    var noTiming = false

    func run() throws {
      var options = limits.options(parameters)
      results.set(&options)
      options.isForced = force
      options.recordsTimes = !noTiming
      try runEach(names, words) { try $0.run(options, on: $1) }
    }
  }

  /// `lab notebooks step`
  struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a notebook cell by cell: show prose and code, wait for a key, run the cell.")

    @Argument(help: "A notebook's name, or its beginning.")
    var name: String

    @OptionGroup var parameters: NotebookParameters
    @OptionGroup var limits: NotebookLimits
    @OptionGroup var results: NotebookResults
    @OptionGroup var words: NotebookLanguage

    func run() throws {
      let folders = try folders()
      let console = Console(language: try words.chosen)
      let notebook = try folders.notebook(name)
      var options = limits.options(parameters)
      results.set(&options)
      let state = try refusing { try notebook.step(options, on: console) }
      console.end(notebook, state)
      try folders.writeGallery()
      if state.isInterruption { throw ExitCode(NotebookInterruption.exitStatus) }
      if state.isFailure { throw ExitCode.failure }
    }
  }

  /// `lab notebooks check`
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run notebooks, and compare their results with the accepted ones.",
      discussion: """
        Accepted results are in Notebooks/NAME/expected, with the parameters of that run. Text and \
        the pixels of figures must be the same, up to the tolerance of their cell. Translations, such \
        as Notebooks/NAME/main.ko.md, must have every paragraph as it is now. With --all, README.ko.md \
        is checked too.
        """)

    @OptionGroup var names: NotebookNames
    @OptionGroup var parameters: NotebookParameters
    @OptionGroup var limits: NotebookLimits

    @Flag(help: "Store the results as the accepted ones.")
    var accept = false

    @Flag(help: "Check only the translations, without running anything.")
    var translations = false

    func validate() throws {
      if accept, translations {
        throw ValidationError("expected --accept or --translations, got both")
      }
    }

    func run() throws {
      let options = limits.options(parameters)
      let folders = try folders()
      var status: Int32 = 0
      var isInterrupted = false
      func check(_ name: String, _ body: () throws -> [String]) throws {
        let result = try going(on: &status, isInterrupted: &isInterrupted, body)
        guard !isInterrupted, let complaints = result else { return }
        let words = complaints.isEmpty ? accept ? "accepted" : "as expected" : "FAILED"
        print("\(name): \(words)")
        complaints.forEach { print("  \(plainText($0))") }
        if !complaints.isEmpty { status = 1 }
      }
      for notebook in try names.notebooks(of: folders) where !isInterrupted {
        try check(notebook.name) {
          if translations { return try notebook.translationProblems() }
          return accept ? try notebook.accept(options) : try notebook.check(options)
        }
      }
      if names.all, !accept, !isInterrupted {
        for document in TranslatedDocument.all(of: folders) {
          try check(document.name) { try document.problems() }
        }
      }
      if status != 0 { throw ExitCode(status) }
    }
  }

  /// `lab notebooks render`
  struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write pages again from the records of the last runs, without running notebooks.")

    @OptionGroup var names: NotebookNames
    @OptionGroup var words: NotebookLanguage

    func run() throws {
      try runEach(names, words) { notebook, console in try notebook.render(on: console).state }
    }
  }
}

/// The language of titles, prose and what the runner says itself.
struct NotebookLanguage: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The language of prose and of what the runner says: en or ko. (default: LAB_LANGUAGE, or en)"),
    transform: { try choice($0) })
  var language: Language?

  var chosen: Language {
    get throws {
      if let language { return language }
      do {
        return try Language.fromEnvironment()
      } catch {
        throw ValidationError("\(error)")
      }
    }
  }
}

/// Whether results of earlier runs are used.
struct NotebookResults: ParsableArguments {
  @Flag(
    name: .customLong("no_cache"),
    help: "Compute everything: neither use nor store results of cached(…).")
  var noCache = false

  @Option(
    help: "Compute the result of this name again, and store it in place of the earlier one.")
  var refresh: [String] = []

  func validate() throws {
    if noCache, !refresh.isEmpty {
      throw ValidationError("expected --no_cache or --refresh, got both")
    }
  }

  func set(_ options: inout NotebookProgram.Options) {
    options.usesCache = !noCache
    options.refreshed = refresh
  }
}

/// The notebooks on the command line.
struct NotebookNames: ParsableArguments {
  @Argument(help: "Names of notebooks, or their beginnings.")
  var names: [String] = []

  @Flag(help: "All notebooks.")
  var all = false

  func validate() throws {
    if all != names.isEmpty {
      throw ValidationError("expected notebooks' names or --all\(all ? ", got both" : "")")
    }
  }

  func notebooks(of folders: NotebookFolders) throws -> [NotebookProgram] {
    try all ? folders.all : names.map { try folders.notebook($0) }
  }
}

/// The parameters for notebooks.
struct NotebookParameters: ParsableArguments {
  @Flag(help: "Run the quick form of the notebooks.")
  var quick = false

  @Option(name: .customShort("p"), help: "A parameter of the notebook, as name=value.")
  var parameters: [String] = []

  func validate() throws {
    for parameter in parameters where parameter.hasPrefix("=") || !parameter.contains("=") {
      throw ValidationError("-p: expected name=value, got \(parameter)")
    }
  }

  /// All parameters as name=value.
  var values: [String] { (quick ? ["quick=true"] : []) + parameters }
}

/// The time limit of a notebook, and whether it is built first.
struct NotebookLimits: ParsableArguments {
  @Option(
    name: .customLong("time_limit"),
    help: "The time in seconds after which a notebook is stopped and counts as failed.",
    transform: number)
  var timeLimit: Double?

  @Flag(
    name: .customLong("no_build"),
    help: "Run the program as it is. By default it is built first if a source has changed.")
  var noBuild = false

  func validate() throws {
    if let timeLimit, !(timeLimit > 0) {
      throw ValidationError("--time_limit: expected seconds above 0, got \(timeLimit)")
    }
  }

  func options(_ parameters: NotebookParameters) -> NotebookProgram.Options {
    var options = NotebookProgram.Options(parameters: parameters.values)
    options.timeLimit = timeLimit
    options.builds = !noBuild
    return options
  }
}

/// Runs `body` with each notebook, also after failures, then writes the gallery.
private func runEach(
  _ names: NotebookNames, _ words: NotebookLanguage,
  _ body: (NotebookProgram, Console) throws -> Page.State
) throws {
  let folders = try NotebooksCommand.folders()
  try runEach(names.notebooks(of: folders), of: folders, in: words.chosen, body)
}

/// Runs `body` with each notebook, also after failures, then writes the gallery.
func runEach(
  _ notebooks: [NotebookProgram], of folders: NotebookFolders, in language: Language,
  _ body: (NotebookProgram, Console) throws -> Page.State
) throws {
  let console = Console(language: language)
  var status: Int32 = 0
  for notebook in notebooks {
    console.begin(notebook)
    var isInterrupted = false
    let result = try going(on: &status, isInterrupted: &isInterrupted) {
      try body(notebook, console)
    }
    if let state = result {
      console.end(notebook, state)
      if state.isFailure { status = 1 }
      isInterrupted = state.isInterruption
    }
    if isInterrupted {
      status = NotebookInterruption.exitStatus
      break
    }
  }
  let gallery = try folders.writeGallery(in: language)
  print("\n\(language[.allPages, gallery.relativePath])")
  if status != 0 { throw ExitCode(status) }
}

/// The result of `body`; nil if the notebook cannot be run. Prints the error and sets the status, so
/// that the other notebooks can still run.
private func going<Result>(
  on status: inout Int32, isInterrupted: inout Bool, _ body: () throws -> Result
) throws -> Result? {
  do {
    return try body()
  } catch let interruption as NotebookInterruption {
    fflush(nil)
    StandardError.writeLine("Error: \(interruption)")
    status = NotebookInterruption.exitStatus
    isInterrupted = true
  } catch is UsageError {
    // The notebook has printed what is wrong with its parameters.
    status = UsageError.status
  } catch let error as NotebookError {
    fflush(nil)
    StandardError.writeLine("Error: \(error)")
    status = 1
  }
  return nil
}

/// The result of `body`; if a notebook refuses its parameters, the program ends with its status.
func refusing<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let interruption as NotebookInterruption {
    fflush(nil)
    StandardError.writeLine("Error: \(interruption)")
    throw ExitCode(NotebookInterruption.exitStatus)
  } catch is UsageError {
    throw ExitCode(UsageError.status)
  }
}

extension Page.State {
  fileprivate var isFailure: Bool {
    if case .failed = self { true } else { false }
  }

  fileprivate var words: String {
    switch self {
    case .notRun: "not run"
    case .passed, .failedAsExpected: "passed"
    case .failed: "failed"
    }
  }
}
