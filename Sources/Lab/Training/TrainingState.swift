import Foundation
import LabDatasets
import LabNetworks
import LabRandom
import LabTensors

/// Where a training run is: with weights and the optimizer's moments all that the next step depends
/// on, so that a run which goes on from here ends with the same bytes as one that never stopped.
struct TrainingState: Codable {
  /// The epoch, from 0.
  var epoch = 0
  /// The steps made in it.
  var step = 0
  /// The batches of an epoch.
  let stepsPerEpoch: Int
  /// The images of a batch.
  let batchSize: Int
  /// The steps of the cycle of learning rates, if there is one.
  let cycleSteps: Int?
  /// What the data were made from.
  let sources: [String: String]
  /// Loss and accuracy in this epoch so far.
  var metrics = Metrics()
  /// How long its steps took, in seconds.
  var seconds = 0.0
  var earlyStopping: EarlyStopping
  /// What the epochs before brought.
  var history: [Epoch] = []
  /// The file name of the best weights so far.
  var bestCheckpoint: String?
  /// The random numbers as the epoch began: its order follows from them.
  var epochStart = Generator.shared.state
  /// The random numbers to come.
  var generator = Generator.shared.state
  /// The bytes in each log so far, by file name.
  var logSizes: [String: UInt64] = [:]

  /// The start of a run.
  init(stepsPerEpoch: Int, schedule: OneCycleLR?, data: some DataModule, patience: Int) {
    self.stepsPerEpoch = stepsPerEpoch
    cycleSteps = schedule?.totalSteps
    batchSize = data.batchSize
    sources = data.sources
    earlyStopping = EarlyStopping(patience: patience)
  }

  /// The batches of an epoch, in words.
  private var batches: String { "\(stepsPerEpoch) batches of \(batchSize)" }

  /// The cycle of learning rates, in words.
  private var cycle: String {
    cycleSteps.map { "a cycle of learning rates over \($0) steps" } ?? "no cycle of learning rates"
  }

  /// Whether numbers and names from a file can be worked with.
  private var isSound: Bool {
    epoch >= 0 && step >= 0 && step <= stepsPerEpoch
      && !epoch.multipliedReportingOverflow(by: stepsPerEpoch).overflow
      && !(epoch * stepsPerEpoch).addingReportingOverflow(step).overflow
      && bestCheckpoint?.contains("/") != true
  }

  /// The steps made in all epochs.
  var totalSteps: Int { epoch * stepsPerEpoch + step }

  /// The batches of the epoch that are still to come.
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

  /// Goes to the next epoch.
  ///
  /// - Parameter val: Loss and accuracy on the validation batches, if there were any.
  mutating func finishEpoch(val: Metrics?) {
    history.append(Epoch(train: metrics, val: val, seconds: seconds))
    if let val { earlyStopping.note(val.loss) }
    (epoch, step, metrics, seconds) = (epoch + 1, 0, Metrics(), 0)
  }

  /// What the file says of itself.
  private static let key = "training_state"

  /// Writes the state with the model's weights and the optimizer's memory into one file, whole or
  /// not at all, so that they always belong together.
  func save(_ model: some Layer, _ optimizer: some Optimizer, to url: URL) throws {
    let weights = Checkpoint.file(of: model)
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in weights.tensors { tensors["model.\(name)"] = tensor }
    for (index, state) in optimizer.state.enumerated() {
      for (name, tensor) in state { tensors["optimizer.\(index).\(name)"] = tensor }
    }
    var integers: [String: IntTensor] = [:]
    for (name, tensor) in weights.integers { integers["model.\(name)"] = tensor }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let json = String(decoding: try encoder.encode(self), as: UTF8.self)
    try Safetensors(tensors: tensors, integers: integers, metadata: [Self.key: json])
      .write(to: url)
  }

  /// Reads a file of ``save(_:_:to:)``.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - model: Gets the weights.
  ///   - optimizer: Gets what it remembered.
  ///   - start: The start of the run: steps and data must be the same.
  /// - Throws: ``DataError`` if the file is damaged or does not fit.
  init(
    _ url: URL, into model: some Layer, _ optimizer: some Optimizer, like start: TrainingState
  ) throws {
    let path = url.path(percentEncoded: false)
    let file = try Safetensors(contentsOf: url)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let json = file.metadata[Self.key],
      let state = try? decoder.decode(TrainingState.self, from: Data(json.utf8)),
      state.isSound
    else { throw DataError(.damaged, "\(path): expected a training state, got none") }
    guard state.sources == start.sources else {
      throw DataError(
        .unusable,
        "\(path): expected the data that the run began with, got others; "
          + "is LAB_DATA_DIR the same?")
    }
    guard state.stepsPerEpoch == start.stepsPerEpoch, state.batchSize == start.batchSize else {
      throw DataError(
        .unusable,
        "\(path): expected epochs of \(state.batches), as the run began, got \(start.batches); "
          + "leave --batch_size and --limit_train_batches as they were")
    }
    guard state.cycleSteps == start.cycleSteps else {
      throw DataError(
        .unusable,
        "\(path): expected \(state.cycle), as the run began, got \(start.cycle); leave --max_epochs, "
          + "--one_cycle_max_lr and --one_cycle_total_steps as they were")
    }
    let weights = Safetensors(
      tensors: file.tensors.part("model."), integers: file.integers.part("model."))
    try Checkpoint.load(weights, of: url, into: model)
    do throws(ShapeError) {
      try optimizer.load(
        state: optimizer.parameters.indices.map { file.tensors.part("optimizer.\($0).") })
    } catch {
      throw DataError(.unusable, "\(path): \(error)")
    }
    self = state
  }
}

extension [String: Tensor] {
  fileprivate func part(_ prefix: String) -> Self { named(self, prefix) }
}

extension [String: IntTensor] {
  fileprivate func part(_ prefix: String) -> Self { named(self, prefix) }
}

/// The entries whose names begin with a prefix, without it.
private func named<Value>(_ entries: [String: Value], _ prefix: String) -> [String: Value] {
  let pairs = entries.filter { $0.key.hasPrefix(prefix) }
  return Dictionary(
    pairs.map { (String($0.key.dropFirst(prefix.count)), $0.value) },
    uniquingKeysWith: { a, _ in a })
}
