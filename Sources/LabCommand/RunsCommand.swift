import ArgumentParser
import Foundation
import Lab
import Plot

/// `lab runs`: lists and compares training runs.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List training runs, and compare them.",
    discussion: """
        lab runs
        lab runs compare CNN-MNIST/version_0 MLP-MNIST/version_0
      """,
    subcommands: [List.self, Compare.self], defaultSubcommand: List.self)

  /// `lab runs list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List all runs in output/logs (or LAB_OUTPUT_DIR) with their best metrics.")

    func run() throws {
      // A run that is damaged does not hide the others.
      let runs = TrainingRun.all().compactMap { folder -> RunHistory? in
        do {
          return try RunHistory(of: folder)
        } catch {
          StandardError.writeLine("Warning: \(error); the run is left out")
          return nil
        }
      }
      guard !runs.isEmpty else {
        print(
          "No training runs in \(OutputFolder.url.relativePath)/logs; start one with lab train.")
        return
      }
      let val = columns("val_", of: runs, first: [.valLoss, .valAccuracy])
      let test = columns("test_", of: runs, first: [.testAccuracy])
      let differences = differences(of: runs)
      let rows = zip(runs, differences).map { run, options in
        [
          printable(run.name), run.record.started.formatted(.iso8601.year().month().day()),
          "\(run.epochs)",
        ]
          + val.map { figure(run.best($0)) }
          + test.map { figure(run.values(of: $0).last?.value) } + [printable(options)]
      }
      let titles = ["Run", "Started", "Epochs"] + (val + test).map { printable($0.name) }
      print(textTable([titles + ["Options that differ"]] + rows, left: 2, isLastLeft: true))
    }

    /// The options of each run that not all runs have, as typed, such as `--lr=0.01`.
    private func differences(of runs: [RunHistory]) -> [String] {
      let options = runs.map(\.options)
      return options.map { own in
        own.filter { option in !options.allSatisfy { $0.contains(option) } }
          .joined(separator: " ")
      }
    }

    /// The scalars of a part that have columns: those that always have one, and the metrics of other
    /// objectives than classification.
    private func columns(_ part: String, of runs: [RunHistory], first: [Scalar]) -> [Scalar] {
      let all = runs.flatMap(\.scalars).filter { $0.name.hasPrefix(part) && $0 != .testLoss }
      return all.reduce(into: first) { if !$0.contains($1) { $0.append($1) } }
    }

    private func figure(_ value: Double?) -> String {
      value.map { String(format: "%.4f", $0) } ?? "-"
    }
  }

  /// `lab runs compare`.
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draw the curves of several runs in one figure.")

    @Argument(help: "Folders of runs, or their names as lab runs lists them.")
    var runs: [String]

    @Option(help: "The figure's file. (default: output/logs/compare.png)")
    var figure: String?

    func run() throws {
      let histories = try runs.map { try RunHistory(of: folder(of: $0)) }
      // Each curve has a line in the legend.
      let lines = histories.count * 2
      var figure = Figure(size: (12, max(4.8, 1.4 + 0.24 * Double(lines))), columns: 2)
      draw(histories, train: .trainLoss, val: .valLoss, title: "Loss", into: &figure[0])
      draw(histories, train: .trainAccuracy, val: .valAccuracy, title: "Accuracy", into: &figure[1])
      let standard = OutputFolder.url.appending(path: "logs/compare.png").relativePath
      let path = self.figure ?? standard
      try figure.save(to: path)
      print("Figure: \(path)")
    }

    private func folder(of name: String) -> URL {
      let named = OutputFolder.url.appending(path: "logs/\(name)", directoryHint: .isDirectory)
      let record = TrainingRun.record(in: named).path(percentEncoded: false)
      return FileManager.default.fileExists(atPath: record)
        ? named : URL(filePath: name, directoryHint: .isDirectory)
    }

    /// A colour for each run; training curves are dashed, validation curves solid.
    private func draw(
      _ runs: [RunHistory], train: Scalar, val: Scalar, title: String, into axes: inout Axes
    ) {
      axes.title = title
      axes.xlabel = "Epoch"
      axes.grid = true
      for (index, run) in runs.enumerated() {
        let color = Color.cycle[index % Color.cycle.count]
        for (scalar, part, style) in [(train, "train", LineStyle.dashed), (val, "val", .solid)] {
          let values = run.values(of: scalar)
          guard !values.isEmpty else { continue }
          axes.plot(
            values.map { Double($0.epoch) }, values.map(\.value), label: "\(run.name), \(part)",
            color: color, linestyle: style, marker: values.count == 1 ? .circle : .none)
        }
      }
      axes.legend()
    }
  }
}
