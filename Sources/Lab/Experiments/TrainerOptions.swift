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
    name: .customLong("val_check_interval"),
    help: """
      Validate after this number of batches (100) or this fraction of an epoch (0.25), also inside the \
      epoch. (default: 1.0)
      """,
    transform: batchLimit)
  var validationInterval = BatchLimit.all

  @Option(
    help: """
      The metric that chooses the best weights and stops training early, such as val_loss, val_acc, \
      val_cer or train_loss; the largest accuracy is the best one, else the smallest value.
      """)
  var monitor = Scalar.valLoss.name

  @Option(
    name: .customLong("track_grad_norm"), parsing: .unconditional,
    help: ArgumentHelp(
      "Log this norm of the gradients in each logged step: 2, inf for the largest absolute value, or another.",
      valueName: "norm"),
    transform: number)
  var gradientNorm: Double?

  @Option(
    name: .customLong("num_sanity_val_steps"), parsing: .unconditional,
    help: "Compute this many validation batches before training; -1 is all. (default: 0)",
    transform: number)
  var sanityValBatches = 0

  @Option(
    help: ArgumentHelp(
      """
      Stop when --monitor has not become better for this many epochs, or validations with \
      --val_check_interval. (default: 10)
      """),
    transform: number)
  var patience = 10

  @Option(
    name: .customLong("ema_decay"),
    help: """
      Average the weights over the steps, with this share of the average remaining in each, such as 0.999; \
      validation, test and checkpoints have the averaged weights.
      """,
    transform: number)
  var averageDecay: Double?

  @Option(
    name: .customLong("stochastic_weight_avg"), defaultAsFlag: "true", parsing: .next,
    help: """
      From 0.8 of the epochs on, keep the learning rate and average the weights at the end of each epoch; \
      test with the mean.
      """)
  var stochasticAverage: String?

  @Option(
    name: .customLong("swa_lr"),
    help: """
      With --stochastic_weight_avg, the learning rate to which it goes along a cosine in ten epochs. \
      (default: as it is there)
      """,
    transform: number)
  var averageLearningRate: Double?

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
    name: .customLong("enable_progress_bar"), defaultAsFlag: "true", parsing: .next,
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
    name: .customLong("deterministic"), defaultAsFlag: "true", parsing: .next,
    help: "Training always is: the same seed gives the same bytes on the same device.")
  package var deterministic: String?

  @Option(
    name: .customLong("auto_lr_find"), defaultAsFlag: "true", parsing: .next,
    help: """
      Before training, try 100 steps with learning rates from 1e-8 to 1, and train with the one at which \
      the loss falls fastest, instead of --lr.
      """)
  var autoLearningRate: String?

  private var averagesEpochs: Bool { stochasticAverage?.lowercased() == "true" }

  /// Whether to find a learning rate.
  package var findsLearningRate: Bool { autoLearningRate?.lowercased() == "true" }

  @Option(
    name: .customLong("auto_scale_batch_size"), defaultAsFlag: "power", parsing: .next,
    help: """
      Before training, measure how much memory a step takes, and train with the largest batch size that \
      fits, instead of --batch_size: power is the largest power of two, binsearch any number.
      """)
  var batchSizeScaling: String?

  /// Among which batch sizes the largest one that fits is looked for; nil if none is.
  package var batchSizeSearch: BatchSizeSearch? {
    batchSizeScaling?.lowercased() == "true"
      ? .powers : batchSizeScaling.flatMap { BatchSizeSearch(rawValue: $0) }
  }

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
    guard validationInterval != .count(0), validationInterval != .fraction(0) else {
      throw ValidationError(
        "--val_check_interval: expected at least 1 batch, or a fraction above 0 and up to 1.0, got "
          + "\(validationInterval)")
    }
    guard monitor.hasPrefix("val_") || monitor.hasPrefix("train_") else {
      throw ValidationError(
        "--monitor: expected a metric of validation or training, such as val_loss, val_acc or train_loss, "
          + "got \(monitor)")
    }
    // -1 is Lightning's default: no norm.
    if let gradientNorm, !(gradientNorm > 0 || gradientNorm == -1) {
      throw ValidationError(
        "--track_grad_norm: expected a number above 0, such as 2, or inf, got \(gradientNorm)")
    }
    if let averageDecay, !(averageDecay > 0 && averageDecay < 1) {
      throw ValidationError(
        "--ema_decay: expected a number between 0 and 1, such as 0.999, got \(averageDecay)")
    }
    _ = try truth(stochasticAverage, "stochastic_weight_avg")
    guard !averagesEpochs || averageDecay == nil else {
      throw ValidationError(
        "--stochastic_weight_avg: expected one average, got --ema_decay too; leave one out")
    }
    if let averageLearningRate {
      guard averageLearningRate.isFinite, averageLearningRate > 0 else {
        throw ValidationError("--swa_lr: expected a number above 0, got \(averageLearningRate)")
      }
      guard averagesEpochs else {
        throw ValidationError("--swa_lr: expected --stochastic_weight_avg too, got none")
      }
    }
    _ = try truth(showsProgress, "enable_progress_bar")
    _ = try truth(autoLearningRate, "auto_lr_find")
    if let batchSizeScaling, batchSizeSearch == nil, batchSizeScaling.lowercased() != "false" {
      throw ValidationError(
        "--auto_scale_batch_size: expected power or binsearch, got \(batchSizeScaling)")
    }
    guard try truth(deterministic, "deterministic") else {
      throw ValidationError(
        "--deterministic: expected true, got false: training always is; leave it out")
    }
    guard outputFolder?.isEmpty != true else {
      throw ValidationError("--default_root_dir: expected a folder, got nothing")
    }
  }

  /// The options in which runs may differ, those that were given.
  package var hyperparameters: [String: String] {
    var texts: [String: String] = [:]
    if let clipping, clipping > 0 {
      texts["gradient_clip_val"] = "\(clipping)"
      texts["gradient_clip_algorithm"] = (clippingAlgorithm ?? .norm).rawValue
    }
    if accumulateBatches > 1 { texts["accumulate_grad_batches"] = "\(accumulateBatches)" }
    if let maxSteps { texts["max_steps"] = "\(maxSteps)" }
    if validationInterval != .all { texts["val_check_interval"] = "\(validationInterval)" }
    if monitor != Scalar.valLoss.name { texts["monitor"] = monitor }
    if let averageDecay { texts["ema_decay"] = "\(averageDecay)" }
    if averagesEpochs { texts["stochastic_weight_avg"] = "true" }
    if let averageLearningRate { texts["swa_lr"] = "\(averageLearningRate)" }
    return texts
  }

  /// Sets up a trainer.
  package func apply(to trainer: Trainer) {
    // 0 limits nothing, as in Lightning.
    if let clipping, clipping > 0 {
      trainer.gradientClipping = clippingAlgorithm == .value ? .value(clipping) : .norm(clipping)
    }
    trainer.accumulateBatches = accumulateBatches
    trainer.averaging =
      averagesEpochs
      ? .stochastic(learningRate: averageLearningRate)
      : averageDecay.map { .exponential(decay: $0) }
    trainer.maxSteps = maxSteps
    (trainer.minEpochs, trainer.minSteps) = (minEpochs, minSteps)
    trainer.maxTime = maxTime
    trainer.validateEveryEpochs = validateEveryEpochs
    trainer.validationInterval = validationInterval
    trainer.monitor = Scalar(monitor)
    trainer.gradientNorm = gradientNorm.flatMap { $0 > 0 ? $0 : nil }
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
