import ArgumentParser
import Foundation
import Lab
import Plot

/// `lab runs`: lists, shows, compares and removes training runs.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List training runs, look at them, compare and remove them.",
    discussion: """
        lab runs
        lab runs --where 'val_acc>0.9' --where model_class=CNN --sort=-val_acc
        lab runs show CNN-MNIST/version_0
        lab runs compare CNN-MNIST/version_0 MLP-MNIST/version_0
        lab runs remove CNN-MNIST/version_0
      """,
    subcommands: [List.self, Show.self, Compare.self, Remove.self], defaultSubcommand: List.self)

  /// `lab runs compare`.
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draw the curves of several runs in one figure.")

    @Argument(help: "Folders of runs, or their names as lab runs lists them.")
    var runs: [String]

    @Option(help: "The figure's file. (default: output/logs/compare.png)")
    var figure: String?

    func run() throws {
      let histories = try runs.map { try RunHistory(of: runFolder($0)) }
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

/// The folder of a run.
///
/// - Parameter name: A run's name as `lab runs` lists it, or its folder.
/// - Throws: ``TrainingError`` if there is no such run.
func runFolder(_ name: String) throws -> URL {
  for folder in runFolders(name) where FileStatus.isFile(TrainingRun.record(in: folder)) {
    return folder
  }
  throw unknownRun(name)
}

/// What may be meant by a run's name: a folder of `output/logs`, or any folder.
func runFolders(_ name: String) -> [URL] {
  name.isEmpty
    ? []
    : [
      OutputFolder.url.appending(path: "logs/\(name)", directoryHint: .isDirectory),
      URL(filePath: name, directoryHint: .isDirectory),
    ]
}

/// The error for a run that does not exist, with the one that may be meant.
func unknownRun(_ name: String) -> TrainingError {
  let names = TrainingRun.all().map { folder in
    "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
  }
  let hint =
    nearestName(to: name, in: names).map { "did you mean \(printable($0))?" }
    ?? "lab runs lists them"
  return TrainingError(
    "expected the name or the folder of a run, got \(printable(name, limit: .max)); \(hint)")
}

extension FileStatus {
  /// Whether a path names a regular file, and no link to one.
  static func isFile(_ url: URL) -> Bool { (try? of(url, followsLinks: false))?.kind == .file }
}
