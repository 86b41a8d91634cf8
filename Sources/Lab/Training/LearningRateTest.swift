import Foundation
import LabData
import LabNetworks
import LabTensors

/// How the loss changes while the learning rate rises from step to step: a range test.
///
/// ```swift
/// let test = try trainer.testLearningRates(model, data, optimizer: Adam(model.parameters))
/// test.suggestion   // where the loss falls fastest
/// ```
///
/// Source: Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186. Smoothing and
/// end are those of PyTorch Lightning's `lr_find`, and so is the suggestion, except that it lies before the
/// smallest loss: behind it, a loss that has grown often falls faster than any before.
public struct LearningRateTest: Equatable, Sendable {
  /// The learning rate of each step, from the smallest one.
  public let rates: [Double]
  /// The smoothed loss of each step.
  public let losses: [Double]

  /// - Parameters:
  ///   - rates: The learning rate of each step, from the smallest one.
  ///   - losses: As many smoothed losses.
  public init(rates: [Double], losses: [Double]) {
    precondition(rates.count == losses.count, "a loss for each rate")
    (self.rates, self.losses) = (rates, losses)
  }

  /// The learning rate at which the loss falls fastest, on its way to the smallest one, without the first ten
  /// steps and the last one; nil if there are too few steps to tell.
  public var suggestion: Double? {
    let candidates = losses.indices.dropFirst(10).dropLast()
    guard let least = candidates.min(by: { losses[$0] < losses[$1] }) else { return nil }
    let steps = Array(candidates.prefix { $0 <= least })
    guard steps.count >= 2 else { return nil }
    // As NumPy's gradient: central differences, and one-sided ones at the ends.
    func slope(_ index: Int) -> Double {
      let (left, right) = (max(index - 1, 0), min(index + 1, steps.count - 1))
      return (losses[steps[right]] - losses[steps[left]]) / Double(right - left)
    }
    return steps.indices.min { slope($0) < slope($1) }.map { rates[steps[$0]] }
  }

  /// How much of the losses before counts in the next one.
  static let smoothing = 0.98
  /// The test ends when the loss is so many times the smallest one.
  static let end = 4.0
}

extension Trainer {
  /// Trains a model for some steps, while the learning rate rises by the same factor after each; then the
  /// model has the weights that it had before.
  ///
  /// The test ends early when the loss has become four times the smallest one, or infinite.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - data: The data, of which training batches are used.
  ///   - optimizer: A new optimizer; it is not used afterwards.
  ///   - objective: The loss.
  ///   - steps: The number of steps.
  ///   - range: The smallest and the largest learning rate.
  /// - Throws: ``TrainingError`` if there is no batch, or there are several processes, ``ShapeError`` if
  ///   the model does not fit the data, ``GPUError`` if the model's device fails.
  public func testLearningRates(
    _ model: some Layer, _ data: some DataModule, optimizer: any Optimizer,
    objective: some Objective, steps: Int = 100, range: ClosedRange<Double> = 1e-8...1
  ) throws -> LearningRateTest {
    guard processes.size == 1 else {
      throw TrainingError(
        "a test of learning rates: expected one process, got \(processes.size); test in one, and give "
          + "the result to all")
    }
    let batches = try training(data)
    let weights = Checkpoint.file(of: model)
    let states = GeneratorStates(model)
    let progress = progressBar("Learning rates", total: steps)
    defer { progress?.finish() }
    let test = try model.device.checking {
      try measureLosses(model, batches.on(model.device), optimizer, objective, steps, range) {
        progress?.update($0, loss: $1)
      }
    }
    try Checkpoint.load(weights, of: URL(filePath: "the weights before"), into: model)
    states.restore(model)
    return test
  }

  /// A range test for a model that classifies, with ``loss``.
  public func testLearningRates(
    _ model: some Layer, _ data: some DataModule, optimizer: any Optimizer
  ) throws -> LearningRateTest {
    try testLearningRates(model, data, optimizer: optimizer, objective: Classification(loss))
  }

  private func measureLosses(
    _ model: some Layer, _ batches: Batches, _ optimizer: any Optimizer,
    _ objective: some Objective, _ steps: Int, _ range: ClosedRange<Double>,
    _ show: (_ step: Int, _ loss: Double) -> Void
  ) throws -> LearningRateTest {
    var (rates, losses): ([Double], [Double]) = ([], [])
    var iterator = batches.makeIterator()
    var (mean, best) = (0.0, Double.infinity)
    for step in 0..<steps {
      var next = iterator.next()
      if next == nil {
        iterator = batches.makeIterator()
        next = iterator.next()
      }
      guard let batch = next else { break }
      let ratio = range.upperBound / range.lowerBound
      optimizer.learningRate = range.lowerBound * pow(ratio, Double(step) / Double(steps))
      optimizer.clearGradients()
      let tape = Tape()
      let score = try objective.score(try model(tape.input(batch.x)), batch)
      try tape.backward(score.loss)
      try gradientClipping?.limit(optimizer.parameters)
      optimizer.step()
      let loss = Double(score.loss.detached.item)
      let share = LearningRateTest.smoothing
      mean = share * mean + (1 - share) * loss
      // A moving average that starts at 0 is too small at first, as in Adam.
      let smoothed = mean / (1 - pow(share, Double(step + 1)))
      guard smoothed.isFinite, step < 2 || smoothed <= LearningRateTest.end * best else { break }
      best = min(best, smoothed)
      rates.append(optimizer.learningRate)
      losses.append(smoothed)
      show(step + 1, smoothed)
    }
    return LearningRateTest(rates: rates, losses: losses)
  }
}
