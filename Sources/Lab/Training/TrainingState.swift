import Foundation
import LabData
import LabNetworks
import LabRandom
import LabTensors

/// The progress of a training. With the weights and the optimizer's state it is all that the next step
/// depends on: a run that is resumed from it ends with the same bytes as one that never stopped.
struct TrainingState: Codable {
  /// The epoch, from 0.
  var epoch = 0
  /// The steps made in it.
  var step = 0
  /// The batches of an epoch.
  let stepsPerEpoch: Int
  /// The images of a batch.
  let batchSize: Int
  /// The steps of the learning rate schedule, if there is one.
  let cycleSteps: Int?
  /// Into how many micro-shards a batch is cut; nil if it is computed as a whole.
  var microShards: Int?
  /// After how many batches the optimizer makes a step; nil if it is after each.
  let accumulation: Int?
  /// How the weights are averaged; nil if they are not.
  let averaging: WeightAveraging?
  /// The first epoch whose weights are averaged at its end, if such are.
  let firstAveragedEpoch: Int?
  /// How far that is; nil before it begins.
  var stochastic: StochasticAverage?
  /// The steps of the optimizer, if it does not make one after each batch.
  private var updates: Int?
  /// The batches until the end of each epoch so far, if one of them was ended early.
  private var epochEnds: [Int]?
  /// The files that the data were read from.
  let sources: [String: String]
  /// The metrics of this epoch so far.
  var metrics = Metrics()
  /// How long its steps took, in seconds.
  var seconds = 0.0
  var earlyStopping: EarlyStopping
  /// The metric that early stopping looks at; nil for the validation loss.
  let monitor: String?
  /// The norm of the gradients that is logged; nil if none is.
  let gradientNorm: Double?
  /// The steps of this epoch after which the last validation inside it was made; nil if there was none.
  var validatedStep: Int?
  /// The validations inside this epoch so far; nil if there were none.
  var validations: [Epoch.Validation]?
  /// The results of the epochs before.
  var history: [Epoch] = []
  /// The file name of the best weights so far.
  var bestCheckpoint: String?
  /// The shared generator at the beginning of the epoch, which determines the order of the images.
  var epochStart = Generator.shared.state
  /// The shared generator now.
  var generator = Generator.shared.state
  /// The other generators of the model's layers, by path; nil in states of older versions.
  var layerGenerators: [String: Generator.State]?
  /// The bytes in each log so far, by file name.
  var logSizes: [String: UInt64] = [:]

  /// The state before the first step.
  init(_ trainer: Trainer, _ data: TrainingData, schedule: (any LearningRateSchedule)?) {
    stepsPerEpoch = data.train.count
    cycleSteps = schedule?.totalSteps
    batchSize = data.batchSize
    accumulation = trainer.accumulateBatches > 1 ? trainer.accumulateBatches : nil
    updates = trainer.accumulateBatches > 1 ? 0 : nil
    averaging = trainer.averaging
    firstAveragedEpoch = averaging?.firstEpoch(of: trainer.maxEpochs)
    sources = data.sources
    let monitor = trainer.monitor
    self.monitor = monitor == .valLoss ? nil : monitor.name
    gradientNorm = trainer.gradientNorm
    earlyStopping = EarlyStopping(
      patience: trainer.patience, isLargerBetter: monitor.isLargerBetter)
  }

  /// The batches of an epoch, in words.
  private var batches: String { "\(stepsPerEpoch) batches of \(batchSize)" }

  /// The learning rate schedule, in words.
  private var cycle: String {
    cycleSteps.map { "a learning rate schedule of \($0) steps" } ?? "no learning rate schedule"
  }

  /// Whether numbers and names from a file are in range.
  private var isSound: Bool {
    epoch >= 0 && step >= 0 && step <= stepsPerEpoch
      && !epoch.multipliedReportingOverflow(by: stepsPerEpoch).overflow
      && !(epoch * stepsPerEpoch).addingReportingOverflow(step).overflow
      && bestCheckpoint?.contains("/") != true
      && ([metrics] + history.flatMap { [$0.train] + [$0.val].compactMap(\.self) })
        .allSatisfy(\.isSound)
      && ((validations ?? []) + history.flatMap(\.validations)).allSatisfy {
        $0.metrics.isSound && (0...1 << 53).contains($0.totalSteps)
      }
      && logSizes.values.allSatisfy { $0 <= 1 << 53 }
      && (0...1 << 53).contains(updates ?? 0) && (accumulation ?? 2) > 1
      && (updates == nil) == (accumulation == nil)
      && (0...1 << 53).contains(stochastic?.count ?? 0)
      && (0...1 << 53).contains(stochastic?.steps ?? 0)
      && epochEnds.map { $0.count == epoch && $0.allSatisfy((0...1 << 53).contains) } != false
  }

  /// The batches trained on in all epochs.
  var totalSteps: Int { end(ofEpoch: epoch - 1) + step }

  /// The steps that the optimizer has made.
  var optimizerSteps: Int { updates ?? totalSteps }

  /// Whether the next batch is the first one of a step of the optimizer.
  var beginsUpdate: Bool { step.isMultiple(of: accumulation ?? 1) }

  /// Whether the next batch is the last one of a step of the optimizer.
  var endsUpdate: Bool {
    (step + 1).isMultiple(of: accumulation ?? 1) || step + 1 == stepsPerEpoch
  }

  /// The batches until the end of an epoch, from 0; 0 before the first one.
  func end(ofEpoch epoch: Int) -> Int {
    if let epochEnds, epochEnds.indices.contains(epoch) { return epochEnds[epoch] }
    return (epoch + 1) * stepsPerEpoch
  }

  /// Notes that the optimizer has made a step.
  mutating func noteUpdate() {
    if let updates { self.updates = updates + 1 }
  }

  /// The remaining batches of the epoch.
  mutating func iterator(of batches: Batches) -> BatchIterator {
    guard step > 0 else {
      epochStart = Generator.shared.state
      return batches.makeIterator()
    }
    // The epoch's order was drawn before all other numbers of the epoch.
    let current = Generator.shared.state
    defer { Generator.shared.state = current }
    Generator.shared.state = epochStart
    return batches.makeIterator(from: step)
  }

  /// Begins the next epoch.
  ///
  /// - Parameter val: The metrics of the validation batches, if there were any.
  mutating func finishEpoch(val: Metrics?) {
    history.append(
      Epoch(train: metrics, val: val, seconds: seconds, validations: validations ?? []))
    if step < stepsPerEpoch || epochEnds != nil {
      epochEnds = (0..<epoch).map(end) + [totalSteps]
    }
    (epoch, step, metrics, seconds) = (epoch + 1, 0, Metrics(), 0)
    (validatedStep, validations) = (nil, nil)
  }

  /// The key of the state in the file's header.
  static let key = "training_state"

  /// Saves the state with the model's weights and the optimizer's state in one file, all of it or
  /// nothing, so that they always belong together.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - optimizer: The optimizer.
  ///   - average: The averaged weights, if there are any.
  ///   - url: The file.
  /// - Throws: ``DataError`` if the file cannot be written, ``GPUError`` if the device has failed.
  mutating func save(
    _ model: some Layer, _ optimizer: any Optimizer, _ average: WeightAverage?, to url: URL
  ) throws {
    generator = Generator.shared.state
    layerGenerators = Dictionary(
      model.namedGenerators.map { ($0.path, $0.generator.state) }
    ) { first, _ in first }
    let weights = Checkpoint.file(of: model)
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in weights.tensors { tensors["model.\(name)"] = tensor }
    let averaged = average?.applied { Checkpoint.file(of: model) }
    for (name, tensor) in averaged?.tensors ?? [:] { tensors["average.\(name)"] = tensor }
    for (index, state) in optimizer.state.enumerated() {
      for (name, tensor) in state { tensors["optimizer.\(index).\(name)"] = tensor }
    }
    var integers: [String: IntTensor] = [:]
    for (name, tensor) in weights.integers { integers["model.\(name)"] = tensor }
    for (name, tensor) in averaged?.integers ?? [:] { integers["average.\(name)"] = tensor }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let json = String(decoding: try encoder.encode(self), as: UTF8.self)
    try Safetensors(tensors: tensors, integers: integers, metadata: [Self.key: json])
      .inHostMemory().write(to: url)
  }

  /// Loads a file of ``save(_:_:_:to:)``.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - url: Where it is.
  ///   - model: The model, whose weights are replaced.
  ///   - optimizer: The optimizer, whose state is replaced.
  ///   - average: The averaged weights, which are replaced if there are any.
  ///   - start: The state before the first step: steps and data must be the same.
  /// - Throws: ``DataError`` if the file is damaged or does not fit, ``TrainingError`` if it was saved
  ///   with other settings.
  init(
    _ file: Safetensors, at url: URL, into model: some Layer, _ optimizer: any Optimizer,
    _ average: inout WeightAverage?, like start: TrainingState
  ) throws {
    let path = url.path(percentEncoded: false)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let json = file.metadata[Self.key],
      var state = try? decoder.decode(TrainingState.self, from: Data(json.utf8)),
      state.isSound
    else { throw DataError(.damaged, "\(path): expected a training state, got none") }
    guard state.sources == start.sources else {
      throw DataError(
        .unusable,
        "\(path): expected the data of the run's beginning, got others; "
          + "is LAB_DATA_DIR the same?")
    }
    guard state.stepsPerEpoch == start.stepsPerEpoch, state.batchSize == start.batchSize else {
      throw TrainingError(
        advising: """
          \(path): expected epochs of \(state.batches) as at the run's beginning, got \(start.batches); \
          do not change \(setting: .batchSize) and \(setting: .limitTrainBatches)
          """)
    }
    func expectSame<Value: Equatable>(
      _ saved: Value, _ now: Value, _ setting: TrainingError.Setting, words: (Value) -> String
    ) throws(TrainingError) {
      guard saved != now else { return }
      throw TrainingError(
        advising: """
          \(path): expected \(words(saved)) as at the run's beginning, got \(words(now)); do not change \
          \(setting: setting)
          """)
    }
    try expectSame(state.microShards, start.microShards, .microShards) { count in
      count.map { "batches in \($0) micro-shards" } ?? "whole batches"
    }
    guard state.accumulation == start.accumulation else {
      throw TrainingError(
        advising: """
          \(path): expected a step of the optimizer every \(state.accumulation ?? 1) batches as at the \
          run's beginning, got every \(start.accumulation ?? 1); do not change \
          \(setting: .accumulateBatches)
          """)
    }
    guard state.monitor == start.monitor else {
      throw TrainingError(
        advising: """
          \(path): expected \(state.monitor ?? "val_loss") to choose the best weights as at the run's \
          beginning, got \(start.monitor ?? "val_loss"); do not change \(setting: .monitor)
          """)
    }
    try expectSame(state.gradientNorm, start.gradientNorm, .gradientNorm) { norm in
      norm.map { "logs with the \($0)-norm of gradients" } ?? "logs without norms of gradients"
    }
    try expectSame(state.averaging, start.averaging, .averaging) { averaging in
      averaging?.words ?? "no averaged weights"
    }
    guard state.firstAveragedEpoch == start.firstAveragedEpoch else {
      func words(_ epoch: Int?) -> String { "\((epoch ?? 0) + 1)" }
      throw TrainingError(
        advising: """
          \(path): expected weights to be averaged from epoch \(words(state.firstAveragedEpoch)) on as at \
          the run's beginning, got \(words(start.firstAveragedEpoch)); do not change \
          \(setting: .maxEpochs)
          """)
    }
    guard state.cycleSteps == start.cycleSteps else {
      throw TrainingError(
        advising: """
          \(path): expected \(state.cycle) as at the run's beginning, got \(start.cycle); do not change \
          \(setting: .maxEpochs), \(setting: .maxSteps), \(setting: .maxLearningRate) and \
          \(setting: .totalSteps)
          """)
    }
    if let averaging = state.averaging, averaging.isMoving || (state.stochastic?.count ?? 0) > 0 {
      let averaged = Safetensors(
        tensors: file.tensors.part("average."), integers: file.integers.part("average."))
      try Checkpoint.load(averaged, of: url, into: model)
      average = WeightAverage(model)
    }
    let weights = Safetensors(
      tensors: file.tensors.part("model."), integers: file.integers.part("model."))
    try Checkpoint.load(weights, of: url, into: model)
    do throws(ShapeError) {
      try optimizer.load(state: file.optimizerStates(atLeast: optimizer.parameters.count))
    } catch {
      throw DataError(.unusable, "\(path): \(error)")
    }
    Generator.shared.state = state.generator
    for named in model.namedGenerators {
      if let saved = state.layerGenerators?[named.path] { named.generator.state = saved }
    }
    // Like the number of epochs, the patience may be another one than before.
    state.earlyStopping.patience = start.earlyStopping.patience
    self = state
  }
}

extension Safetensors {
  /// The saved tensors of each parameter, without the prefix `optimizer.N.`.
  ///
  /// - Parameter count: The number of parameters; more are returned if more were saved.
  fileprivate func optimizerStates(atLeast count: Int) -> [[String: Tensor]] {
    let indices = tensors.keys.compactMap { name -> Int? in
      let parts = name.split(separator: ".")
      return parts.count == 3 && parts[0] == "optimizer" ? Int(parts[1]) : nil
    }
    // An index that no program wrote must not take all memory.
    let saved = min((indices.max() ?? -1), tensors.count) + 1
    return (0..<max(count, saved)).map { tensors.part("optimizer.\($0).") }
  }
}

extension [String: Tensor] {
  /// The entries whose names begin with a prefix, without it.
  func part(_ prefix: String) -> Self { named(self, prefix) }
}

extension [String: IntTensor] {
  /// The entries whose names begin with a prefix, without it.
  func part(_ prefix: String) -> Self { named(self, prefix) }
}

/// The entries whose names begin with a prefix, without it.
private func named<Value>(_ entries: [String: Value], _ prefix: String) -> [String: Value] {
  let pairs = entries.filter { $0.key.hasPrefix(prefix) }
  return Dictionary(
    pairs.map { (String($0.key.dropFirst(prefix.count)), $0.value) },
    uniquingKeysWith: { a, _ in a })
}

/// Ends training when a metric, by default the validation loss, has not become better for some time.
public struct EarlyStopping: Codable, Sendable {
  /// How many values in a row may be no better than the best one.
  public internal(set) var patience: Int
  /// The best value so far: the smallest one, or for an accuracy the largest.
  public private(set) var best: Double
  private var wait = 0
  /// Nil if the smallest value is the best one.
  private var isLargerBetter: Bool?

  /// - Parameters:
  ///   - patience: How many values in a row may be no better than the best one.
  ///   - isLargerBetter: Whether the largest value is the best one: for accuracies.
  public init(patience: Int, isLargerBetter: Bool = false) {
    self.patience = patience
    self.isLargerBetter = isLargerBetter ? true : nil
    best = isLargerBetter ? -.infinity : .infinity
  }

  /// Whether a value is better than all before; NaN never is.
  func isBetter(_ value: Double) -> Bool {
    isLargerBetter == true ? value > best : value < best
  }

  /// Adds the value of the validation or the epoch that has just ended.
  public mutating func note(_ value: Double) {
    if isBetter(value) {
      best = value
      wait = 0
    } else {
      wait += 1
    }
  }

  /// Whether training should end.
  public var isOver: Bool { wait >= patience }
}
