import ArgumentParser
import Foundation
import Lab

extension RunsCommand {
  /// `lab runs list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the runs in output/logs (or LAB_OUTPUT_DIR) with their best metrics.",
      discussion: """
        Options that differ between the listed runs have columns: those that were given at least \
        once, and those that several runs have. Values that were not given are the defaults, if the \
        run recorded them, else -. On a terminal the table has as many of these columns as fit; \
        values of more than 24 characters are shortened. A pipe or a file gets all of them.

        --where and --sort take a metric (val_acc: its best value as in the list), an option (lr), \
        run, started (2026-11-23), epochs or state (running, finished, interrupted). A run that lacks \
        it meets no condition but !=, and is sorted to the end.

        --json prints an array with an object for each run: run, folder, state, started, epochs, \
        model_class, data_class, synthetic, seed, parameters, metrics and options. Figures that are \
        not finite are null.

          lab runs --where 'val_acc>0.9' --where model_class=CNN --sort=-val_acc
          lab runs --json | jq '.[].metrics.val_acc'
        """)

    @Option(
      name: .customLong("where"), parsing: .unconditionalSingleValue,
      help: ArgumentHelp(
        "List only runs with this property, such as 'val_acc>0.7'; may be repeated.",
        discussion: "Comparisons: > >= < <= = != (quote < and >, which the shell would take).",
        valueName: "condition"))
    var conditions: [String] = []

    @Option(
      parsing: .unconditional,
      help: ArgumentHelp(
        "Sort by a metric or another property; -val_acc begins with the largest.",
        valueName: "property"))
    var sort: String?

    @Flag(help: "Begin with the largest value of --sort.")
    var descending = false

    @Flag(help: "Show all options that differ, also if the terminal is too narrow.")
    var wide = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      let conditions = try conditions.map { try RunCondition($0) }
      let order = try sort.map { try RunOrder($0, isDescending: descending) }
      guard order != nil || !descending else {
        throw TrainingError("--descending: expected --sort too, got none")
      }
      // A run that is damaged does not hide the others.
      let all = TrainingRun.all().compactMap { folder -> RunHistory? in
        do {
          return try RunHistory(of: folder)
        } catch {
          StandardError.writeLine("Warning: \(error); the run is left out")
          return nil
        }
      }
      if !all.isEmpty {
        for condition in conditions { try condition.check(all) }
        try order?.check(all)
      }
      let runs = try all.filter { run in try conditions.allSatisfy { try $0.isMet(by: run) } }
      let sorted = order?.sorted(runs) ?? runs
      if json {
        try RunsJSON.print(.list(sorted.map { .object(RunsJSON.summary(of: $0)) }))
      } else if all.isEmpty {
        print(
          "No training runs in \(OutputFolder.url.relativePath)/logs; start one with lab train.")
      } else if sorted.isEmpty {
        let texts = conditions.map { printable($0.text) }.joined(separator: ", ")
        print("None of \(all.count) runs has \(texts).")
      } else {
        print(RunTable(sorted).text(width: wide ? nil : terminalWidth))
      }
    }

    /// The length of a line of the terminal that shows standard output; nil if there is none.
    private var terminalWidth: Int? {
      var size = winsize()
      guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
      return Int(size.ws_col)
    }
  }
}
