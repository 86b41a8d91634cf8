import Foundation

/// The learning rate rises in a line for some steps, then falls along a cosine to 0. The momentum stays.
///
/// Step for step PyTorch's `SequentialLR` of `LinearLR(start_factor=1/(warmupSteps+1),
/// total_iters=warmupSteps)` and `CosineAnnealingLR(T_max=totalSteps-warmupSteps)`.
///
/// ```swift
/// let steps = trainer.totalSteps(data)
/// let schedule = CosineLR(maxLearningRate: 1e-3, totalSteps: steps, warmupSteps: steps / 20)
/// ```
///
/// Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
/// arXiv:1608.03983.
public struct CosineLR: LearningRateSchedule, Equatable {
  /// The largest learning rate.
  public let maxLearningRate: Double
  /// The number of optimizer steps.
  public let totalSteps: Int
  /// How many of them the learning rate rises for.
  public let warmupSteps: Int

  /// - Parameters:
  ///   - maxLearningRate: The largest learning rate.
  ///   - totalSteps: The number of optimizer steps, at least 1.
  ///   - warmupSteps: How many of them the learning rate rises for, fewer than all.
  public init(maxLearningRate: Double, totalSteps: Int, warmupSteps: Int = 0) {
    precondition(
      (0..<totalSteps).contains(warmupSteps),
      "a schedule of \(totalSteps) steps rises for fewer, got \(warmupSteps)")
    self.maxLearningRate = maxLearningRate
    self.totalSteps = totalSteps
    self.warmupSteps = warmupSteps
  }

  /// The learning rate of a step in `0..<totalSteps`.
  public func learningRate(at step: Int) -> Double {
    precondition(
      (0..<totalSteps).contains(step), "a schedule of \(totalSteps) steps has no step \(step)")
    if step < warmupSteps {
      return maxLearningRate * Double(step + 1) / Double(warmupSteps + 1)
    }
    let share = Double(step - warmupSteps) / Double(totalSteps - warmupSteps)
    return maxLearningRate / 2 * (1 + cos(.pi * share))
  }

  public func prepare(_ optimizer: some Optimizer, for step: Int) {
    optimizer.learningRate = learningRate(at: step)
  }
}
