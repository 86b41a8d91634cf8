import Foundation

/// Sets an optimizer's learning rate before each of its steps.
public protocol LearningRateSchedule: Sendable {
  /// The number of steps that it is made for.
  var totalSteps: Int { get }

  /// Sets the learning rate, and perhaps the momentum, for a step in `0..<totalSteps`.
  func prepare(_ optimizer: some Optimizer, for step: Int)
}

/// The one-cycle schedule: the learning rate rises along a cosine, then falls to almost 0, while the
/// momentum falls and rises. Step for step PyTorch's `OneCycleLR` with its defaults.
///
/// | steps | learning rate | momentum |
/// | --- | --- | --- |
/// | the first 30 % | `max / 25` to `max` | 0.95 to 0.85 |
/// | the others | `max` to `max / 250,000` | 0.85 to 0.95 |
///
/// A cycle of a single step uses the final learning rate.
///
/// ```swift
/// let schedule = OneCycleLR(maxLearningRate: 3e-3, totalSteps: trainer.totalSteps(data))
/// try trainer.fit(model, data, optimizer: optimizer, schedule: schedule)
/// ```
///
/// Source: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
/// Learning Rates", arXiv:1708.07120.
public struct OneCycleLR: LearningRateSchedule, Equatable {
  /// The largest learning rate.
  public let maxLearningRate: Double
  /// The number of optimizer steps in the cycle, one for each batch.
  public let totalSteps: Int

  /// - Parameters:
  ///   - maxLearningRate: The largest learning rate.
  ///   - totalSteps: The number of optimizer steps in the cycle, at least 1.
  public init(maxLearningRate: Double, totalSteps: Int) {
    precondition(totalSteps >= 1, "a cycle has at least 1 step, got \(totalSteps)")
    self.maxLearningRate = maxLearningRate
    self.totalSteps = totalSteps
  }

  /// The learning rate of a step in `0..<totalSteps`.
  public func learningRate(at step: Int) -> Double {
    let first = maxLearningRate / 25
    return value(at: step, from: first, over: maxLearningRate, to: first / 1e4)
  }

  /// The momentum, or Adam's β₁, of a step in `0..<totalSteps`.
  public func momentum(at step: Int) -> Double {
    value(at: step, from: 0.95, over: 0.85, to: 0.95)
  }

  /// Sets an optimizer's learning rate and momentum for a step in `0..<totalSteps`.
  public func prepare(_ optimizer: some Optimizer, for step: Int) {
    optimizer.learningRate = learningRate(at: step)
    optimizer.momentum = momentum(at: step)
  }

  private func value(at step: Int, from first: Double, over middle: Double, to last: Double)
    -> Double
  {
    precondition(
      (0..<totalSteps).contains(step), "a cycle of \(totalSteps) steps has no step \(step)")
    let (turn, end) = (0.3 * Double(totalSteps) - 1, Double(totalSteps) - 1)
    let step = Double(step)
    return step <= turn
      ? alongCosine(first, middle, share: step / turn)
      : alongCosine(middle, last, share: (step - turn) / (end - turn))
  }

  private func alongCosine(_ start: Double, _ end: Double, share: Double) -> Double {
    end + (start - end) / 2 * (1 + cos(.pi * share))
  }
}
