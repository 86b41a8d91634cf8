import ArgumentParser
import LabData
import LabDatasets
import LabModels
import LabTensors
import LabTraining

/// The optimizers of the command line.
package enum OptimizerClass: String, CaseIterable {
  case Adam, AdamW, SGD
}

/// The losses of the command line, by their names in `torch.nn.functional`.
package enum LossName: String, CaseIterable {
  case crossEntropy = "cross_entropy"
  case multiMargin = "multi_margin_loss"
  case ctc

  /// The loss of a model that classifies images; nil if it is not for them.
  var loss: Loss? {
    switch self {
    case .crossEntropy: .crossEntropy
    case .multiMargin: .multiMargin
    case .ctc: nil
    }
  }

  /// The loss of a model that reads lines; nil if it is not for them.
  var criterion: LineReading.Criterion? {
    switch self {
    case .crossEntropy: .crossEntropy
    case .multiMargin: nil
    case .ctc: .ctc
    }
  }
}

/// The options of the trainer, the optimizer and the loss.
package struct TrainingOptions: ParsableArguments {
  @Option(
    name: .customLong("max_epochs"),
    help: "The maximum number of epochs; early stopping may end training sooner. (default: 1000)",
    transform: number)
  var maxEpochs = 1000

  @Option(
    help: choices("The optimizer", default: OptimizerClass.Adam),
    transform: { try choice($0) })
  var optimizer = OptimizerClass.Adam

  @Option(
    name: .customLong("lr"),
    help: "The learning rate; ignored with --one_cycle_max_lr. (default: 0.001)",
    transform: number)
  package var learningRate = 1e-3

  @Option(
    name: .customLong("weight_decay"), help: "The weight decay. (default: 0.01 for AdamW, else 0)",
    transform: number)
  var weightDecay: Double?

  @Option(
    help: "The momentum of SGD; ignored with --one_cycle_max_lr. (default: 0.0)",
    transform: number)
  var momentum = 0.0

  @Flag(help: "Use Nesterov momentum in SGD.")
  var nesterov = false

  @Option(
    name: .customLong("one_cycle_max_lr"),
    help: "Use the one-cycle learning rate schedule with this maximum.",
    transform: number)
  var oneCycleMaxLearningRate: Double?

  @Option(
    name: .customLong("one_cycle_total_steps"),
    help: "The number of steps of that schedule. (default: all batches of all epochs)",
    transform: number)
  var oneCycleTotalSteps: Int?

  @Flag(help: "Let the learning rate fall from --lr to 0 along a cosine, over all steps.")
  var cosine = false

  @Option(
    name: .customLong("warmup_steps"),
    help: "The steps for which the learning rate rises before that. (default: 0)",
    transform: number)
  var warmupSteps = 0

  @Option(
    name: .customLong("label_smoothing"),
    help: """
      The share of each label's probability that is spread over all classes, for --loss=cross_entropy. \
      (default: 0)
      """,
    transform: number)
  package var labelSmoothing = 0.0

  @Option(
    help: """
      Mix each training image with another one of its batch, and their labels; a larger number, up to 4, \
      mixes more. (default: 0)
      """,
    transform: number)
  package var mixup = 0.0

  @Option(
    help: choices("The loss, from torch.nn.functional", default: LossName.crossEntropy),
    transform: { try choice($0) })
  package var loss = LossName.crossEntropy

  @Option(
    name: .customLong("overfit_batches"),
    help: """
      Train, validate and test on the same training batches: this number (2) or this fraction \
      (0.01) of them.
      """,
    transform: batchLimit)
  var overfitBatches: BatchLimit?

  @Option(
    name: .customLong("limit_train_batches"),
    help: "The number or fraction of the batches to train on in each epoch. (default: 1.0)",
    transform: batchLimit)
  var limitTrainBatches = BatchLimit.all

  @Option(
    name: .customLong("limit_val_batches"),
    help: "The number or fraction of the batches to validate on. (default: 1.0)",
    transform: batchLimit)
  var limitValBatches = BatchLimit.all

  @Option(
    name: .customLong("limit_test_batches"),
    help: "The number or fraction of the batches to test on. (default: 1.0)",
    transform: batchLimit)
  var limitTestBatches = BatchLimit.all

  @Option(
    name: .customLong("checkpoint_every_n_steps"),
    help: ArgumentHelp(
      """
      Save the training state every n steps, and at the end of each epoch. (default: every 1000 steps, \
      but not within ten seconds of the last time)
      """),
    transform: number)
  var checkpointEverySteps: Int?

  @Option(
    name: .customLong("log_every_n_steps"),
    help: "Log loss and learning rate every n steps. (default: 1)",
    transform: number)
  var logEverySteps = 1

  @Flag(
    name: .customLong("log_histograms"),
    help: """
      Log histograms of all weights and of their gradients in the last step of each epoch, for \
      TensorBoard.
      """)
  package var logHistograms = false

  @Flag(
    name: .customLong("log_graph"),
    help: "Log the network's graph for TensorBoard, with a scope for each layer.")
  package var logGraph = false

  @Flag(
    name: .customLong("fast_dev_run"),
    help: "Run one batch of training, validation and test, without saving anything.")
  package var fastDevRun = false

  package init() {}

  /// The weight decay; PyTorch's default if none is given.
  var decay: Double { weightDecay ?? (optimizer == .AdamW ? 0.01 : 0) }

  /// Whether the learning rate is that of the one-cycle schedule.
  var hasOneCycle: Bool { oneCycleMaxLearningRate != nil }

  package func validate() throws {
    guard maxEpochs >= 1 else {
      throw ValidationError("--max_epochs: expected at least 1, got \(maxEpochs)")
    }
    guard learningRate.isFinite, learningRate > 0 else {
      throw ValidationError("--lr: expected a number above 0, got \(learningRate)")
    }
    try notNegative("weight_decay", decay)
    try notNegative("momentum", momentum)
    guard optimizer == .SGD || (momentum == 0 && !nesterov) else {
      throw ValidationError(
        "\(nesterov ? "--nesterov" : "--momentum") belongs to SGD, but --optimizer is \(optimizer)."
      )
    }
    guard !nesterov || momentum > 0 else {
      throw ValidationError("--nesterov: expected a --momentum above 0, got none")
    }
    if let rate = oneCycleMaxLearningRate, !(rate.isFinite && rate > 0) {
      throw ValidationError("--one_cycle_max_lr: expected a number above 0, got \(rate)")
    }
    if let steps = oneCycleTotalSteps, steps < 1 {
      throw ValidationError("--one_cycle_total_steps: expected at least 1, got \(steps)")
    }
    if oneCycleTotalSteps != nil, oneCycleMaxLearningRate == nil {
      throw ValidationError("--one_cycle_total_steps: expected --one_cycle_max_lr too, got none")
    }
    guard !cosine || oneCycleMaxLearningRate == nil else {
      throw ValidationError(
        "--cosine: expected one schedule, got --one_cycle_max_lr too; leave one out")
    }
    guard warmupSteps >= 0, cosine || warmupSteps == 0 else {
      throw ValidationError(
        "--warmup_steps: expected \(cosine ? "at least 0" : "--cosine too"), got \(cosine ? "\(warmupSteps)" : "none")"
      )
    }
    guard (0...1).contains(labelSmoothing), labelSmoothing == 0 || loss == .crossEntropy else {
      throw ValidationError(
        "--label_smoothing: expected a number from 0 to 1 and --loss=cross_entropy, got \(labelSmoothing) "
          + "and \(loss.rawValue)")
    }
    guard mixup == 0 || Mixup.allowed.contains(mixup) else {
      throw ValidationError(
        "--mixup: expected 0, or a number from \(Mixup.allowed.lowerBound) to "
          + "\(Mixup.allowed.upperBound), got \(mixup)")
    }
    for (name, steps) in [
      ("checkpoint_every_n_steps", checkpointEverySteps), ("log_every_n_steps", logEverySteps),
    ] {
      guard let steps, steps < 1 else { continue }
      throw ValidationError("--\(name): expected at least 1, got \(steps)")
    }
    if let overfitBatches, overfitBatches == .count(0) || overfitBatches == .fraction(0) {
      throw ValidationError("--overfit_batches: expected at least one batch, got none")
    }
  }

  /// The options in which runs may differ, for TensorBoard; without those that the one-cycle schedule
  /// overrides.
  var hyperparameters: [String: String] {
    var texts = [
      "optimizer": "\(optimizer)", "weight_decay": "\(decay)", "loss": loss.rawValue,
      "max_epochs": "\(maxEpochs)",
    ]
    if let oneCycleMaxLearningRate {
      texts["one_cycle_max_lr"] = "\(oneCycleMaxLearningRate)"
      texts["one_cycle_total_steps"] = oneCycleTotalSteps.map { "\($0)" }
    } else {
      texts["lr"] = "\(learningRate)"
      if optimizer == .SGD { texts["momentum"] = "\(momentum)" }
    }
    if optimizer == .SGD { texts["nesterov"] = "\(nesterov)" }
    if cosine {
      texts["cosine"] = "true"
      texts["warmup_steps"] = "\(warmupSteps)"
    }
    if labelSmoothing > 0 { texts["label_smoothing"] = "\(labelSmoothing)" }
    if mixup > 0 { texts["mixup"] = "\(mixup)" }
    return texts
  }

  /// A trainer with these options.
  package func trainer() -> Trainer {
    let trainer = Trainer(maxEpochs: fastDevRun ? 1 : maxEpochs)
    trainer.limitTrainBatches = fastDevRun ? .count(1) : limitTrainBatches
    trainer.limitValBatches = fastDevRun ? .count(1) : limitValBatches
    trainer.limitTestBatches = fastDevRun ? .count(1) : limitTestBatches
    trainer.overfitBatches = overfitBatches
    if let loss = loss.loss { trainer.loss = loss }
    if mixup > 0 { trainer.mixup = mixup }
    if labelSmoothing > 0 { trainer.loss = .crossEntropy(labelSmoothing: labelSmoothing) }
    trainer.checkpointEverySteps = checkpointEverySteps
    trainer.logEverySteps = logEverySteps
    return trainer
  }

  /// The optimizer for a model's parameters.
  package func optimizer(for model: some Model) -> any Optimizer {
    switch optimizer {
    case .Adam:
      LabTraining.Adam(
        model.parameters, learningRate: learningRate, weightDecay: decay)
    case .AdamW:
      LabTraining.AdamW(
        model.parameters, learningRate: learningRate, weightDecay: decay)
    case .SGD:
      LabTraining.SGD(
        model.parameters, learningRate: learningRate, momentum: momentum,
        weightDecay: decay, nesterov: nesterov)
    }
  }

  /// The schedule of the learning rate; nil for a constant one.
  ///
  /// - Throws: ``TrainingError`` if it has too few steps.
  package func schedule(
    of trainer: Trainer, _ data: some DataModule
  ) throws -> (any LearningRateSchedule)? {
    if let oneCycleMaxLearningRate {
      return OneCycleLR(
        maxLearningRate: oneCycleMaxLearningRate,
        totalSteps: oneCycleTotalSteps ?? max(1, trainer.totalSteps(data)))
    }
    guard cosine else { return nil }
    let steps = max(1, trainer.totalSteps(data))
    guard warmupSteps < steps else {
      throw TrainingError(
        "--warmup_steps: expected fewer than the \(steps) steps of the training, got \(warmupSteps)"
      )
    }
    return CosineLR(maxLearningRate: learningRate, totalSteps: steps, warmupSteps: warmupSteps)
  }

  private func notNegative(_ name: String, _ value: Double) throws {
    guard value.isFinite, value >= 0 else {
      throw ValidationError("--\(name): expected a number of at least 0, got \(value)")
    }
  }
}
