import ArgumentParser
import Foundation
import LabData
import LabTraining

/// How gradients are limited, by Lightning's names.
package enum ClippingAlgorithm: String, CaseIterable {
  case norm, value
}

/// What the table of the model's parts shows, by Lightning's names.
package enum WeightsSummary: String, CaseIterable {
  case full, top, none
}

/// More options of PyTorch Lightning's `Trainer`, with its names and meaning.
package struct TrainerOptions: ParsableArguments {
  @Option(
    name: .customLong("gradient_clip_val"),
    help: """
      Limit gradients to this norm, or with --gradient_clip_algorithm=value each element to this \
      absolute value.
      """,
    transform: number)
  var clipping: Double?

  @Option(
    name: .customLong("gradient_clip_algorithm"),
    help: choices("What is limited", default: ClippingAlgorithm.norm),
    transform: { try choice($0) })
  var clippingAlgorithm: ClippingAlgorithm?

  @Option(
    name: .customLong("accumulate_grad_batches"),
    help: """
      Make a step of the optimizer after this many batches, with their mean gradient. (default: 1)
      """,
    transform: number)
  var accumulateBatches = 1

  @Option(
    name: .customLong("max_steps"),
    help: "The maximum number of steps of the optimizer.",
    transform: number)
  var maxSteps: Int?

  @Option(
    name: .customLong("min_epochs"),
    help: "Do not stop early, or because of --max_time, before this many epochs. (default: 0)",
    transform: number)
  var minEpochs = 0

  @Option(
    name: .customLong("min_steps"),
    help: "Do not stop early, or because of --max_time, before this many steps. (default: 0)",
    transform: number)
  var minSteps = 0

  @Option(
    name: .customLong("max_time"),
    help: ArgumentHelp(
      "End the epoch in which training has taken this long.",
      valueName: "days:hours:minutes:seconds"),
    transform: duration)
  var maxTime: Duration?

  @Option(
    name: .customLong("check_val_every_n_epoch"),
    help: "Validate after every n epochs. (default: 1)",
    transform: number)
  var validateEveryEpochs = 1

  @Option(
    name: .customLong("num_sanity_val_steps"), parsing: .unconditional,
    help: "Compute this many validation batches before training; -1 is all. (default: 0)",
    transform: number)
  var sanityValBatches = 0

  @Option(
    help: ArgumentHelp(
      "Stop when the validation loss has not become smaller for this many epochs. (default: 10)"),
    transform: number)
  var patience = 10

  @Option(
    name: .customLong("weights_summary"),
    help: choices(
      "The table of the model's parts that is printed; full has a row for each layer",
      default: WeightsSummary.top),
    transform: { try choice($0.lowercased()) })
  var weightsSummary = WeightsSummary.top

  @Option(
    help: """
      Measure how long operations and layers take: simple. The times are printed at the end, and \
      trace.json in the run's folder shows them in chrome://tracing or Perfetto.
      """,
    transform: { try ProfilerName(option: $0) })
  var profiler: ProfilerName?

  @Option(
    name: .customLong("enable_progress_bar"), defaultAsFlag: "true",
    help: "Whether to show progress on standard error. (default: true)")
  var showsProgress: String?

  @Option(
    name: .customLong("progress_bar_refresh_rate"),
    help: """
      0 shows no progress; other numbers change nothing: it is shown ten times a second.
      """,
    transform: number)
  var refreshRate: Int?

  @Option(
    name: .customLong("deterministic"), defaultAsFlag: "true",
    help: "Training always is: the same seed gives the same bytes on the same device.")
  package var deterministic: String?

  @Option(
    name: .customLong("auto_lr_find"), defaultAsFlag: "true",
    help: """
      Before training, try 100 steps with learning rates from 1e-8 to 1, and train with the one at which \
      the loss falls fastest, instead of --lr.
      """)
  var autoLearningRate: String?

  /// Whether to find a learning rate.
  package var findsLearningRate: Bool { autoLearningRate?.lowercased() == "true" }

  @Option(
    name: .customLong("default_root_dir"),
    help: ArgumentHelp(
      "The folder for output, instead of LAB_OUTPUT_DIR.", valueName: "folder"))
  package var outputFolder: String?

  package init() {}

  package func validate() throws {
    if let clipping, !(clipping.isFinite && clipping >= 0) {
      throw ValidationError(
        "--gradient_clip_val: expected a number of at least 0, got \(clipping)")
    }
    guard clippingAlgorithm == nil || clipping != nil else {
      throw ValidationError("--gradient_clip_algorithm: expected --gradient_clip_val too, got none")
    }
    for (name, value, least) in [
      ("accumulate_grad_batches", accumulateBatches, 1), ("max_steps", maxSteps ?? 1, 1),
      ("min_epochs", minEpochs, 0), ("min_steps", minSteps, 0),
      ("check_val_every_n_epoch", validateEveryEpochs, 1),
      ("num_sanity_val_steps", sanityValBatches, -1), ("patience", patience, 1),
      ("progress_bar_refresh_rate", refreshRate ?? 0, 0),
    ] where value < least {
      throw ValidationError("--\(name): expected at least \(least), got \(value)")
    }
    if let maxTime, maxTime <= .zero {
      throw ValidationError("--max_time: expected more than 0 seconds, got \(maxTime)")
    }
    _ = try truth(showsProgress, "enable_progress_bar")
    _ = try truth(autoLearningRate, "auto_lr_find")
    guard try truth(deterministic, "deterministic") else {
      throw ValidationError(
        "--deterministic: expected true, got false: training always is; leave it out")
    }
    guard outputFolder?.isEmpty != true else {
      throw ValidationError("--default_root_dir: expected a folder, got nothing")
    }
  }

  /// The options in which runs may differ, those that were given.
  var hyperparameters: [String: String] {
    var texts: [String: String] = [:]
    if let clipping, clipping > 0 {
      texts["gradient_clip_val"] = "\(clipping)"
      texts["gradient_clip_algorithm"] = (clippingAlgorithm ?? .norm).rawValue
    }
    if accumulateBatches > 1 { texts["accumulate_grad_batches"] = "\(accumulateBatches)" }
    if let maxSteps { texts["max_steps"] = "\(maxSteps)" }
    return texts
  }

  /// Sets up a trainer.
  package func apply(to trainer: Trainer) {
    // 0 limits nothing, as in Lightning.
    if let clipping, clipping > 0 {
      trainer.gradientClipping = clippingAlgorithm == .value ? .value(clipping) : .norm(clipping)
    }
    trainer.accumulateBatches = accumulateBatches
    trainer.maxSteps = maxSteps
    (trainer.minEpochs, trainer.minSteps) = (minEpochs, minSteps)
    trainer.maxTime = maxTime
    trainer.validateEveryEpochs = validateEveryEpochs
    trainer.sanityValBatches = sanityValBatches
    trainer.patience = patience
    trainer.showsModelSummary = weightsSummary != .none
    trainer.showsLayers = weightsSummary == .full
    trainer.profiler = profiler.map { _ in Profiler() }
    trainer.showsProgress = showsProgress?.lowercased() != "false" && refreshRate != 0
  }
}

/// A time as Lightning takes it, `00:12:30:00`: days, hours, minutes and seconds.
private func duration(_ text: String) throws -> Duration {
  let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
  let limits: [Int64] = [100_000, 23, 59, 59]
  guard parts.count == 4, zip(parts, limits).allSatisfy({ (0...$1).contains($0 ?? -1) }) else {
    throw ValidationError("expected days:hours:minutes:seconds, such as 00:01:30:00, got \(text)")
  }
  let seconds = zip(parts, [86_400, 3600, 60, 1] as [Int64]).reduce(0) { $0 + ($1.0 ?? 0) * $1.1 }
  return .seconds(seconds)
}

/// Whether an option is true, also as Python writes it: `True` or `False`. Without the option it is.
private func truth(_ text: String?, _ name: String) throws -> Bool {
  switch text?.lowercased() {
  case nil, "true": return true
  case "false": return false
  default: throw ValidationError("--\(name): expected true or false, got \(text ?? "")")
  }
}
