import LabData
import LabNetworks
import LabTensors

/// The memory that a training takes beside the model's weights, by its batch size.
package struct TrainingMemory: Equatable, Sendable {
  /// The bytes for any batch: gradients, the optimizer's state.
  package let fixed: Int
  /// The bytes for each example of a batch: images, results that are saved for gradients.
  package let perExample: Int

  package init(fixed: Int, perExample: Int) {
    (self.fixed, self.perExample) = (fixed, perExample)
  }

  /// The bytes for batches of a size; `.max` if they are too many for an `Int`.
  package func bytes(batchSize: Int) -> Int {
    let (product, overflow) = perExample.multipliedReportingOverflow(by: batchSize)
    let (sum, overflow2) = fixed.addingReportingOverflow(product)
    return overflow || overflow2 ? .max : sum
  }

  /// The largest batch size that fits into memory.
  ///
  /// - Parameters:
  ///   - search: Among which sizes.
  ///   - most: The largest size.
  ///   - available: The bytes that there are.
  /// - Returns: Nil if not even a single example fits.
  package func largestBatchSize(
    _ search: BatchSizeSearch, upTo most: Int, in available: Int
  ) -> Int? {
    guard most > 0, bytes(batchSize: 1) <= available else { return nil }
    let size = min(most, (available - fixed) / max(1, perExample))
    switch search {
    case .binary: return size
    case .powers: return 1 << (Int.bitWidth - 1 - size.leadingZeroBitCount)
    }
  }
}

/// Among which batch sizes the largest one is looked for, by Lightning's names.
package enum BatchSizeSearch: String, CaseIterable, Sendable {
  /// Powers of two.
  case powers = "power"
  /// All.
  case binary = "binsearch"
}

extension Trainer {
  /// Measures how much memory a training takes, on steps of the processor with ever more examples, until
  /// these take most of it.
  ///
  /// - Parameters:
  ///   - model: The model, on the processor; it has other weights afterwards.
  ///   - data: The data.
  ///   - objective: The loss.
  ///   - largest: The most examples to measure with.
  ///   - available: The bytes of memory, of which it uses no more than a quarter or so.
  ///   - optimizer: Makes an optimizer for the model.
  /// - Throws: ``TrainingError`` if there is no training image, ``ShapeError`` if the model does not fit
  ///   the data.
  package func measureMemory(
    _ model: some Layer, _ data: some DataModule, objective: some Objective,
    upTo largest: Int = 8192, in available: Int = .max, optimizer: () -> any Optimizer
  ) throws -> TrainingMemory {
    guard data.train.count > 0 else {
      throw TrainingError("fit: expected at least one training image, got none")
    }
    let states = GeneratorStates(model)
    defer { states.restore(model) }
    func measure(_ size: Int) throws -> Int {
      // What is made once, such as weights in another order, is there then.
      try step(model, data, size, objective, optimizer())
      return try MemoryMeter.peak { try step(model, data, size, objective, optimizer()) }
    }
    var size = min(8, data.train.count)
    var bytes = try measure(size)
    var perExample = bytes / size
    // At first the gradients and the optimizer's state decide, whatever the size.
    while 2 * size <= min(data.train.count, largest), bytes < available / 8 {
      let more = try measure(2 * size)
      perExample = max(0, more - bytes) / size
      let isClear = 10 * more >= 17 * bytes
      (size, bytes) = (2 * size, more)
      if isClear { break }
    }
    return TrainingMemory(fixed: max(0, bytes - size * perExample), perExample: perExample)
  }

  private func step(
    _ model: some Layer, _ data: some DataModule, _ size: Int, _ objective: some Objective,
    _ optimizer: any Optimizer
  ) throws {
    var batches = Batches(data.train, batchSize: size, workers: 0).prefix(1).makeIterator()
    guard let batch = batches.next() else { return }
    let tape = Tape()
    let score = try objective.score(try model(tape.input(batch.x)), batch)
    try tape.backward(score.loss)
    optimizer.step()
    optimizer.clearGradients()
  }
}
