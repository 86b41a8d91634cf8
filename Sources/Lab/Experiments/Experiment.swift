import ArgumentParser
import Foundation
import LabData
import LabDatasets
import LabModels
import LabNetworks
import LabProcesses
import LabRandom
import LabText
import LabTraining

/// The course's `training/run_experiment.py`: trains a model on a data set, then tests it.
///
/// `lab train` runs its command line; a notebook, which looks at the outcome, runs its own options.
package struct Experiment: ParsableArguments {
  @OptionGroup(title: "What to train") package var options: ExperimentOptions
  @OptionGroup(title: "Data") package var data: DataClassOptions
  @OptionGroup(title: "Training") package var training: TrainingOptions
  @OptionGroup(title: "Training, as in PyTorch Lightning") package var trainer: TrainerOptions
  @OptionGroup(title: "Device") package var device: DeviceOptions
  @OptionGroup(title: "Processes") package var processes: ProcessOptions
  @OptionGroup(title: "Augmentation of training images") package var augmentation:
    AugmentationOptions
  @OptionGroup package var models: ModelArguments

  /// An experiment that has ended.
  package struct Outcome {
    /// The data set.
    package let data: any DataModule
    /// The model after the last epoch.
    package let model: any Model
    /// The metrics.
    package let measured: Measurements

    /// The losses and metrics of each epoch.
    package var history: [Epoch] { measured.history }
    /// The results on the test images of a model that classifies them.
    package var results: TestResults {
      measured.results ?? Evaluation(metrics: measured.metrics, predictions: [], mapping: [])
    }
    /// The results on the test lines of a model that reads lines; nil for others.
    package var lines: Evaluation<LinePrediction>? { measured.lines }
    /// The results on the test lines with a language model; nil without `--language_model`.
    package var linesWithLanguage: Evaluation<LinePrediction>? { measured.linesWithLanguage }

    /// - Parameters:
    ///   - setting: The experiment, with the trained model.
    ///   - measured: Its metrics.
    package init(_ setting: Setting, _ measured: Measurements) {
      (data, model, self.measured) = (setting.data, setting.model, measured)
    }
  }

  /// The metrics of an experiment.
  package struct Measurements: Codable {
    /// The losses and metrics of each epoch.
    package let history: [Epoch]
    /// The results on the test images of a model that classifies them.
    package let results: TestResults?
    /// The results on the test lines of a model that reads lines.
    package let lines: Evaluation<LinePrediction>?
    /// The same with a beam search and a language model.
    package var linesWithLanguage: Evaluation<LinePrediction>?

    /// The metrics on the test part.
    package var metrics: Metrics { results?.metrics ?? lines?.metrics ?? Metrics() }
  }

  package init() {}

  package func validate() throws {
    // A resumed run has its own model and data set.
    guard options.resume == nil else { return }
    let isAugmented = try augmentation.chosen(for: data.dataClass) != nil
    guard training.overfitBatches == nil || !isAugmented else {
      throw ValidationError(
        "--overfit_batches: expected images without augmentation, got augmentation; leave out "
          + "--augment and the options of augmentation.")
    }
    guard training.overfitBatches == nil || training.mixup == 0 else {
      throw ValidationError(
        "--overfit_batches: expected images as they are, got --mixup; leave one of them out.")
    }
    guard training.overfitBatches == nil || !data.lines.parameters.freshLines else {
      throw ValidationError(
        "--overfit_batches: expected the same lines in each epoch, got --fresh_lines; leave it out."
      )
    }
    guard !trainer.findsLearningRate || !training.hasOneCycle else {
      throw ValidationError(
        "--auto_lr_find: expected a training with --lr, got --one_cycle_max_lr; leave one of them out."
      )
    }
    // Without --model_class, a checkpoint may name another model than the default one.
    guard options.modelClass != nil || options.loadCheckpoint == nil else { return }
    do {
      try checkFit(models.configuration(modelClass))
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// Checks that model, data and loss are of the same task: lines, or images of one class each.
  private func checkFit(_ configuration: ModelConfiguration) throws {
    let (name, readsLines) = (configuration.modelClass, configuration.readsLines)
    guard readsLines == (data.dataClass == .EMNISTLines) else {
      throw TrainingError(
        readsLines
          ? "--data_class: \(name) reads whole lines, but \(data.dataClass) has one label an image; "
            + "expected EMNISTLines."
          : "--data_class: \(name) reads one character an image, but EMNISTLines has whole lines; "
            + "expected MNIST, EMNIST or Folder, or a model that reads lines: "
            + "\(ModelRegistry.current.names(readingLines: true).joined(separator: ", ")).")
    }
    guard readsLines ? training.loss.criterion != nil : training.loss.loss != nil else {
      let names = LossName.allCases.filter { readsLines ? $0.criterion != nil : $0.loss != nil }
      throw TrainingError(
        "--loss: expected \(names.map(\.rawValue).joined(separator: " or ")) for \(name), which reads "
          + "\(readsLines ? "lines" : "one character an image"), got \(training.loss.rawValue)")
    }
    for (option, isGiven) in [
      ("label_smoothing", training.labelSmoothing > 0), ("mixup", training.mixup > 0),
    ] where isGiven && readsLines {
      throw TrainingError(
        "--\(option): expected a model that reads one character an image, got \(name), which reads "
          + "lines; leave it out")
    }
    guard !data.lines.languageModel || training.loss.criterion == .ctc else {
      throw TrainingError(
        "--language_model: expected --loss=ctc, got \(training.loss.rawValue); leave it out, or train "
          + "with --loss=ctc")
    }
  }

  /// The seed of all random numbers.
  package var seed: UInt64 { options.seed ?? 42 }

  private var modelClass: String { options.modelClass ?? ExperimentOptions.defaultModel }

  /// The options in which runs may differ, for TensorBoard.
  ///
  /// - Parameter configuration: The model and its options.
  package func hyperparameters(_ configuration: ModelConfiguration) -> [String: String] {
    let augmentation = try? augmentation.chosen(for: data.dataClass)
    let own = [
      "model_class": configuration.modelClass, "data_class": "\(data.dataClass)",
      "batch_size": "\(data.batchSize)", "augment": "\(augmentation != nil)",
      "seed": "\(seed)",
    ].merging(data.keepsCopiesTogether ? ["distinct_val": "true"] : [:]) { $1 }
    return own.merging(training.hyperparameters) { $1 }
      .merging(trainer.hyperparameters) { $1 }
      .merging(augmentation?.hyperparameters ?? [:]) { $1 }
      .merging(data.dataClass == .EMNISTLines ? data.lines.hyperparameters : [:]) { $1 }
      .merging(configuration.options.mapValues(\.description)) { own, _ in own }
  }

  /// The data, the model and the trainer of an experiment.
  package struct Setting {
    /// The data set.
    package let data: any DataModule
    /// The model, with its initial weights or those of a checkpoint.
    package let model: any Model
    /// The model's class and options.
    package let configuration: ModelConfiguration
    /// The trainer, set up from the options; it may still be changed.
    package let trainer: Trainer
    /// What the model is trained for if it reads lines; nil if it classifies images.
    package let reading: LineReading?
  }

  /// Loads the data and creates the model, on the device that the options ask for.
  ///
  /// - Parameters:
  ///   - resumed: The model of the run to resume; its weights are not read yet. Nil starts a new run.
  ///   - isAgain: Whether the summary of the data was printed before.
  /// - Throws: ``DataError`` if data or weights cannot be read, ``TrainingError`` if a checkpoint is
  ///   of another model than the options, ``GPUError`` if there is no such device.
  package func setUp(
    resuming resumed: ModelConfiguration? = nil, isAgain: Bool = false
  ) throws -> Setting {
    let start = try resumed == nil ? options.loadCheckpoint.map(checkpoint) : nil
    let weights = try start.map { ($0, try Safetensors(contentsOf: $0)) }
    let configuration =
      try resumed ?? weights.map { try self.configuration(of: $1, at: $0) }
      ?? models.configuration(modelClass)
    try checkFit(configuration)
    let device = try device.device()
    manualSeed(seed)
    // Files are prepared once: others wait until the first process has them.
    let peers = Processes.current
    if peers.rank > 0 { try peers.barrier() }
    let module = try data.load(augmentation: augmentation.chosen(for: data.dataClass))
    if peers.rank == 0, peers.size > 1 { try peers.barrier() }
    if !isAgain { print(data.summary(of: module)) }
    do {
      try configuration.check(for: module.config)
    } catch {
      throw TrainingError("\(error)")
    }
    try configuration.checkMemory(for: module.config)
    let model = configuration.model(for: module.config)
    if let (url, file) = weights { try Checkpoint.load(file, of: url, into: model) }
    model.to(device)
    try device.check()
    let trainer = training.trainer()
    self.trainer.apply(to: trainer)
    // An epoch of one batch cannot be validated after a larger number of batches.
    if training.fastDevRun { trainer.validationInterval = .all }
    trainer.microShards = processes.microShards
    let criterion = configuration.readsLines ? training.loss.criterion : nil
    return Setting(
      data: module, model: model, configuration: configuration, trainer: trainer,
      reading: criterion.map { LineReading($0, module) })
  }

  private func checkpoint(_ path: String) throws -> URL {
    try Checkpoint.file(at: URL(filePath: path))
  }

  /// The configuration in a checkpoint, which options on the command line must not contradict; that
  /// of the command line if the file has none.
  private func configuration(of file: Safetensors, at url: URL) throws -> ModelConfiguration {
    guard let recorded = try CheckpointHeader(file, at: url).configuration else {
      return try models.configuration(modelClass)
    }
    let chosen = options.modelClass ?? recorded.modelClass
    let path = url.path(percentEncoded: false)
    guard chosen == recorded.modelClass else {
      throw TrainingError(
        "\(path): expected weights of \(chosen), got those of \(recorded.modelClass); leave out "
          + "--model_class, or choose another checkpoint")
    }
    let asked = try models.configuration(chosen, over: recorded.options)
    if let difference = asked.difference(from: recorded) {
      throw TrainingError(
        "\(path): expected weights of a model with \(difference.here), got those of one with "
          + "\(difference.there); leave the option out, or choose another checkpoint")
    }
    return recorded
  }

  /// Takes the options that `--accelerator` stands for, which replace it.
  ///
  /// - Throws: ``TrainingError`` if others contradict them.
  package mutating func resolveAccelerator() throws {
    guard let accelerator = processes.accelerator else { return }
    func contradiction(_ expected: String) -> TrainingError {
      TrainingError(
        "--accelerator=\(accelerator.rawValue): expected \(expected), got "
          + "--gpus=\(device.gpus.map { "\($0)" } ?? ""); leave one of them out")
    }
    switch accelerator {
    case .processor, .processesOfProcessor:
      guard (device.gpus ?? .processor) == .processor else { throw contradiction("--gpus=0") }
      device.gpus = .processor
    case .gpu:
      guard device.gpus != .processor else { throw contradiction("--gpus=1") }
      if device.gpus == nil { device.gpus = .gpu("1") }
    case .automatic:
      if device.gpus == nil { device.gpus = .automatic }
    case .processes, .spawnedProcesses:
      // Each process has a GPU of its own.
      if case .gpu(let text) = device.gpus, let count = Int(text), count > 1 {
        processes.devices = processes.devices ?? count
        device.gpus = .gpu("1")
      }
    }
    processes.accelerator = nil
  }

  /// How much of the free memory `--auto_scale_batch_size` uses: an estimate is not exact.
  private static let memoryShare = 0.8

  /// With `--auto_scale_batch_size`, finds the largest batch size that fits into memory, prints it, and
  /// takes it instead of `--batch_size`.
  ///
  /// - Parameter setting: The experiment, which has to be set up again if there is another batch size.
  /// - Returns: Whether one was asked for.
  /// - Throws: ``TrainingError`` if not even one image fits, or there are several processes.
  package mutating func chooseBatchSize(_ setting: Setting) throws -> Bool {
    guard let search = trainer.batchSizeSearch, !training.fastDevRun else { return false }
    guard setting.trainer.processes.size == 1 else {
      throw TrainingError(
        "--auto_scale_batch_size: expected one process, got \(setting.trainer.processes.size); find the "
          + "batch size in one, and give it to all with --batch_size")
    }
    let module = setting.data
    // On the processor, also for a GPU: tensors are as large there.
    let model = setting.configuration.model(for: module.config)
    let all = setting.model.device.memory ?? availableMemory()
    let available = Int(Double(all) * Self.memoryShare)
    let need: TrainingMemory
    if let reading = setting.reading {
      need = try measure(model, module, reading, setting.trainer, available)
    } else {
      let objective = Classification(setting.trainer.loss)
      need = try measure(model, module, objective, setting.trainer, available)
    }
    let most = min(module.train.count, DataClassOptions.largestBatchSize)
    guard let size = need.largestBatchSize(search, upTo: most, in: available) else {
      throw TrainingError(
        "--auto_scale_batch_size: expected up to \(bytesText(available)) of memory, got a need of "
          + "\(bytesText(need.bytes(batchSize: 1))) for a single image; choose a smaller model")
    }
    data.batchSize = size
    print(
      "Batch size: \(size), for which training takes about \(bytesText(need.bytes(batchSize: size))) of "
        + "memory")
    return true
  }

  private func measure(
    _ model: some Model, _ module: some DataModule, _ objective: some Objective, _ trainer: Trainer,
    _ available: Int
  ) throws -> TrainingMemory {
    try trainer.measureMemory(
      model, module, objective: objective, in: min(available, availableMemory())
    ) {
      training.optimizer(for: model)
    }
  }

  /// With `--auto_lr_find`, finds a learning rate, prints it, and takes it instead of `--lr`.
  ///
  /// - Returns: The test; nil if none was asked for.
  /// - Throws: ``TrainingError`` if no rate can be suggested, and the errors of
  ///   ``Trainer/testLearningRates(_:_:optimizer:objective:steps:range:)``.
  package mutating func chooseLearningRate(_ setting: Setting) throws -> LearningRateTest? {
    guard trainer.findsLearningRate, !training.fastDevRun else { return nil }
    let (model, module) = (setting.model, setting.data)
    let optimizer = training.optimizer(for: model)
    let test = try withOptionNames {
      guard let reading = setting.reading else {
        return try setting.trainer.testLearningRates(model, module, optimizer: optimizer)
      }
      return try setting.trainer.testLearningRates(
        model, module, optimizer: optimizer, objective: reading)
    }
    guard let rate = test.suggestion else {
      throw TrainingError(
        "--auto_lr_find: expected at least 12 steps before the loss grows, got \(test.rates.count); leave "
          + "it out, and give --lr")
    }
    // As many digits as mean something, so that the option can be typed.
    training.learningRate = Double(String(format: "%.3g", rate)) ?? rate
    print("Learning rate: \(training.learningRate), suggested by \(test.rates.count) steps")
    return test
  }

  /// Trains and tests, and prints the results. If the GPU fails and `--gpus=auto` was given, the
  /// training continues on the processor, from the saved state or, without one, from the beginning.
  ///
  /// - Throws: ``DataError`` if weights cannot be written, and the errors of
  ///   ``Trainer/fit(_:_:optimizer:schedule:)``.
  @discardableResult
  package func fitAndTest(_ setting: Setting) throws -> Outcome {
    let (model, gpu) = (setting.model, setting.model.device)
    for line in device.lines(about: gpu) { print(line) }
    if trainer.deterministic != nil {
      print(
        "Training is deterministic, as always: the same seed gives the same bytes on this device.")
    }
    let beginning = gpu.isGPU && device.gpus == .automatic ? try TrainingBeginning(model) : nil
    func onProcessor() throws -> Measurements {
      try beginning?.restore(model)
      setting.trainer.repeatTraining()
      return try measure(setting)
    }
    let measured = try device.recovering(on: gpu) {
      try measure(setting)
    } onProcessor: {
      try onProcessor()
    }
    print(String(repeating: "-", count: 80))
    printTestResults(measured.metrics, of: setting.data)
    guard data.lines.languageModel, let reading = setting.reading,
      let lines = setting.data as? EMNISTLines
    else { return Outcome(setting, measured) }
    var all = measured
    let result = try device.recovering(on: model.device) {
      try testWithLanguage(setting, reading, lines)
    } onProcessor: {
      _ = try onProcessor()
      return try testWithLanguage(setting, reading, lines)
    }
    all.linesWithLanguage = result
    printTestResults(result.metrics, of: setting.data, "with a language model")
    return Outcome(setting, all)
  }

  /// Trains and tests.
  private func measure(_ setting: Setting) throws -> Measurements {
    let (trainer, model, module) = (setting.trainer, setting.model, setting.data)
    return try withOptionNames {
      try trainer.check(module)
      let optimizer = training.optimizer(for: model)
      let schedule = try training.schedule(of: trainer, module)
      guard let reading = setting.reading else {
        let history = try trainer.fit(model, module, optimizer: optimizer, schedule: schedule)
        return Measurements(
          history: history, results: try trainer.test(model, module), lines: nil)
      }
      let history = try trainer.fit(
        model, module, optimizer: optimizer, schedule: schedule, objective: reading)
      let lines = try trainer.test(model, module, objective: reading)
      return Measurements(history: history, results: nil, lines: lines)
    }
  }

  /// Tests with a beam search and a language model, whose weights are chosen on validation lines.
  private func testWithLanguage(
    _ setting: Setting, _ reading: LineReading, _ lines: EMNISTLines
  ) throws -> Evaluation<LinePrediction> {
    let language = try lines.languageModel()
    print(language)
    var search = BeamSearch(mapping: lines.mapping, specialTokens: lines.specialTokens)
    search.languageModel = language.model
    let val = try reading.outputs(of: setting.model, lines.valBatches())
    let chosen = try search.choosingWeights(on: val.lines, labels: val.labels)
    print(
      String(
        format:
          "Chosen on validation lines: weight %g of the language model, %g for each character",
        chosen.best.languageWeight, chosen.best.lengthBonus))
    var withLanguage = reading
    withLanguage.search = chosen.best
    // The run keeps the metrics without it.
    let tester = Trainer()
    tester.isQuiet = true
    tester.limitTestBatches = setting.trainer.limitTestBatches
    return try tester.test(setting.model, lines, objective: withLanguage)
  }

  private func printTestResults(
    _ metrics: Metrics, of module: any DataModule, _ addition: String? = nil
  ) {
    print(
      "DATALOADER:0 TEST RESULTS" + (addition.map { " \($0)" } ?? "")
        + (module.isSynthetic ? " (SYNTHETIC data)" : ""))
    let values = metrics.totals.filter { $0.name != "loss" }.map { total in
      "'test_\(total.name)': " + String(format: "%.4f", metrics[total.name] ?? .nan)
    }
    print("{\(values.joined(separator: ", "))}")
  }
}
