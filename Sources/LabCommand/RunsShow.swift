import ArgumentParser
import Foundation
import Lab

extension RunsCommand {
  /// `lab runs show`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a run: its options, the metrics of its epochs, its files, how to resume it.",
      discussion: """
        --json prints an object with the entries of lab runs --json, and arguments, given (the names \
        of the options that were given), versions, devices, epoch_metrics (an object for each epoch), \
        best_epoch, files (file, bytes, kind), saved (the epoch and the step in it of the state to \
        resume from) and resume (the command). What there is not is null.
        """)

    @Argument(
      help: ArgumentHelp("The run's name as lab runs lists it, or its folder.", valueName: "run"))
    var name: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      let history = try RunHistory(of: runFolder(name))
      let files = try RunFile.all(of: history)
      if json {
        try printJSON(history, files)
      } else {
        print(text(history, files))
      }
    }

    private func text(_ run: RunHistory, _ files: [RunFile]) -> String {
      let record = run.record
      let parameters = readableCount(record.parameters)
      var facts = [
        ("Run", run.name), ("Folder", run.folder.relativePath),
        ("Started", record.started.formatted(.iso8601)),
        ("Model", "\(record.modelClass), \(parameters) parameters"),
        ("Data", record.dataClass + (record.isSynthetic ? " (SYNTHETIC data)" : "")),
        ("Seed", "\(record.seed)"),
        ("Device", devices(of: record)),
        (
          "Versions",
          record.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            .joined(separator: ", ")
        ),
      ]
      let (state, saved) = (run.state, run.savedState)
      facts.append(("State", run.text(of: state, saved)))
      if let (what, command) = run.continuation(from: state, saved) {
        facts.append((what, command))
      }
      let width = facts.map(\.0.count).max() ?? 0
      var parts = [
        facts.map { name, value in
          let space = String(repeating: " ", count: width - name.count)
          return "\(printable(name))\(space)  \(printable(value, limit: .max))"
        }.joined(separator: "\n")
      ]

      let options = run.settings.sorted { $0.key < $1.key }.map { name, value in
        [
          printable(name), printable("\(value)", limit: .max),
          run.given.contains(name) ? "given" : "",
        ]
      }
      parts.append(textTable([["Option", "Value", ""]] + options, left: 3))

      let metrics = run.metrics.filter { !$0.name.hasPrefix("test_") }
      let epochs = run.epochValues
      if epochs.isEmpty {
        parts.append("No epoch has ended.")
      } else {
        let best = run.bestEpoch
        let rows = epochs.map { epoch, values in
          ["\(epoch)"] + metrics.map { values[$0].map(RunTable.text) ?? "-" }
            + [epoch == best ? "best" : ""]
        }
        let titles = ["Epoch"] + metrics.map { printable($0.name) } + [""]
        parts.append(textTable([titles] + rows, left: 0))
      }
      let test = run.metrics.filter { $0.name.hasPrefix("test_") }.compactMap { metric in
        run.figure(metric).map { "\(printable(metric.name))=\(RunTable.text(of: $0))" }
      }
      if !test.isEmpty { parts.append("Test: \(test.joined(separator: ", "))") }

      let rows = files.map {
        [printable($0.name, limit: .max), readableSize($0.bytes), $0.kind.text]
      }
      parts.append(
        rows.isEmpty
          ? "No weights or state are saved."
          : textTable([["File", "Size", ""]] + rows, isLastLeft: true))
      return parts.joined(separator: "\n\n")
    }

    private func devices(of record: RunRecord) -> String {
      guard let devices = record.devices, !devices.isEmpty else { return "cpu" }
      return devices.enumerated().map { index, use in
        index == 0 ? use.device : "from step \(use.fromStep) \(use.device)"
      }.joined(separator: ", ")
    }

    private func printJSON(_ run: RunHistory, _ files: [RunFile]) throws {
      let record = run.record
      let metrics = run.metrics.filter { !$0.name.hasPrefix("test_") }
      let epochs = run.epochValues.map { epoch, values in
        let figures = metrics.map { ($0.name, RunsJSON.figure(values[$0])) }
        return RunsJSON.object(Dictionary(figures + [("epoch", .int(epoch))]) { $1 })
      }
      let devices = record.devices?.map {
        RunsJSON.object(["device": .text($0.device), "from_step": .int($0.fromStep)])
      }
      let saved = run.savedState
      let own: [String: RunsJSON] = [
        "arguments": .list(record.arguments.map { .text($0) }),
        "given": .list(run.given.map { .text($0) }),
        "versions": .object(record.versions.mapValues { .text($0) }),
        "devices": devices.map { .list($0) } ?? .null,
        "epoch_metrics": .list(epochs),
        "best_epoch": run.bestEpoch.map { .int($0) } ?? .null,
        "files": .list(
          files.map {
            .object([
              "file": .text($0.name), "bytes": .int($0.bytes), "kind": .text($0.kind.rawValue),
            ])
          }),
        "saved": saved.map { .object(["epoch": .int($0.epoch), "step": .int($0.step)]) } ?? .null,
        "resume": run.continuation(from: run.state, saved).map { .text($0.command) } ?? .null,
      ]
      try RunsJSON.print(.object(RunsJSON.summary(of: run).merging(own) { first, _ in first }))
    }
  }
}

/// A file with weights or the state of a run.
private struct RunFile {
  enum Kind: String {
    case best, last, state

    var text: String {
      switch self {
      case .best: "the weights of the best epoch"
      case .last: "the weights of the last epoch"
      case .state: "the state to resume from"
      }
    }
  }

  let name: String
  let bytes: Int
  let kind: Kind

  static func all(of run: RunHistory) throws -> [RunFile] {
    try TrainingRun.contents(ofRun: run.folder).own.compactMap { name in
      let kind: Kind? =
        switch name {
        case "last.safetensors": .last
        case "training_state.safetensors": .state
        case _ where name.hasPrefix("epoch="): .best
        default: nil
        }
      let size = try FileStatus.of(run.folder.appending(path: name))?.size
      return kind.flatMap { kind in size.map { RunFile(name: name, bytes: $0, kind: kind) } }
    }.sorted { $0.name < $1.name }
  }
}

extension RunHistory {
  /// What has become of the run, in words.
  fileprivate func text(of state: State, _ saved: SavedState?) -> String {
    switch state {
    case .running: return "running: a process trains in this folder"
    case .finished:
      guard let stopping = saved?.earlyStopping, stopping.isOver else { return "finished" }
      return "finished: val_loss had not become smaller for \(stopping.patience) epochs"
    case .interrupted:
      guard let saved else { return "interrupted before its state was saved" }
      return saved.step == 0 && saved.epoch > 0
        ? "interrupted; saved at the end of epoch \(saved.epoch - 1)"
        : "interrupted; saved in epoch \(saved.epoch) after step \(saved.step)"
    }
  }

  /// How to train on; nil if that is not possible.
  fileprivate func continuation(
    from state: State, _ saved: SavedState?
  ) -> (what: String, command: String)? {
    let command = "lab train --resume=\(folder.relativePath)"
    switch state {
    case .running: return nil
    case .interrupted: return (saved == nil ? "To start again" : "To continue", command)
    case .finished:
      // A learning rate schedule ends with the last epoch.
      guard let saved, saved.cycleSteps == nil, !saved.earlyStopping.isOver else { return nil }
      return ("To train longer", "\(command) --max_epochs=\(saved.epoch + 1)")
    }
  }
}

/// A number of bytes to one decimal, in B, kB, MB or GB.
func readableSize(_ bytes: Int) -> String {
  var (number, unit) = (Double(bytes), 0)
  while number >= 999.95, unit < 3 {
    number /= 1000
    unit += 1
  }
  return unit == 0
    ? "\(bytes) B" : String(format: "%.1f ", number) + ["B", "kB", "MB", "GB"][unit]
}
