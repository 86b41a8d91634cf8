import LabNetworks
import LabTensors

/// How the weights are averaged over a training. The model is validated, tested and saved with the
/// averaged weights, while training goes on with its own.
///
/// ```swift
/// trainer.averaging = .exponential(decay: 0.999)
/// ```
public enum WeightAveraging: Codable, Equatable, Sendable {
  /// An exponential moving average of the weights and of the running statistics of batch normalization,
  /// after each step of the optimizer:
  ///
  /// `average ← average + (1 - d) · (weights - average)`, `d = min(decay, (1 + t) / (10 + t))`
  ///
  /// with the number `t` of steps so far: at first the average follows faster, so that it soon forgets the
  /// initial weights.
  ///
  /// Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM Journal on
  /// Control and Optimization 30, 1992; the warm-up is that of TensorFlow's `ExponentialMovingAverage`.
  case exponential(decay: Double)

  /// In words, for messages.
  var words: String {
    switch self {
    case .exponential(let decay): "a moving average of the weights with decay \(decay)"
    }
  }
}

/// The averaged weights and running statistics of a model.
struct WeightAverage {
  private let parameters: [Parameter]
  private let statistics: [RunningStatistics]
  private var values: [Tensor]

  /// The weights that a model has now.
  init(_ model: some Layer) {
    parameters = model.parameters
    statistics = model.namedStatistics.map(\.statistics)
    values = []
    values = current
  }

  /// What the model has now.
  private var current: [Tensor] {
    parameters.map(\.value) + statistics.flatMap { [$0.mean, $0.variance] }
  }

  /// Moves the average towards the model's weights: `average ← average + share · (weights - average)`.
  mutating func move(by share: Double) {
    // A step along the difference, in one pass over the memory of any device.
    let step = GradientDescentStep(
      learningRate: -share, momentum: 0, weightDecay: -1, nesterov: false)
    for (index, weights) in current.enumerated() {
      values[index].makeUnique()
      let average = values[index]
      average.storage.backend.gradientDescentStep(
        average, gradient: weights.materialize(), velocity: nil, step)
    }
  }

  /// Follows a step of the optimizer.
  ///
  /// - Parameters:
  ///   - averaging: How.
  ///   - steps: The steps of the optimizer so far, including this one.
  mutating func follow(_ averaging: WeightAveraging, steps: Int) {
    switch averaging {
    case .exponential(let decay):
      let warmUp = Double(1 + steps) / Double(10 + steps)
      move(by: 1 - min(decay, warmUp))
    }
  }

  /// Gives the averaged weights to the model.
  func load() { set(values) }

  /// The result of `body` while the model has the averaged weights.
  func applied<Result>(_ body: () throws -> Result) rethrows -> Result {
    let own = current
    set(values)
    defer { set(own) }
    return try body()
  }

  private func set(_ tensors: [Tensor]) {
    for (parameter, tensor) in zip(parameters, tensors) { parameter.setValue(tensor) }
    for (index, statistics) in statistics.enumerated() {
      let first = parameters.count + 2 * index
      statistics.set(mean: tensors[first], variance: tensors[first + 1])
    }
  }
}
