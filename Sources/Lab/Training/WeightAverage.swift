import Foundation
import LabNetworks
import LabTensors

/// How the weights are averaged over a training, which goes on with its own ones.
///
/// ```swift
/// trainer.averaging = .exponential(decay: 0.999)
/// ```
public enum WeightAveraging: Codable, Equatable, Sendable {
  /// An exponential moving average of the weights and of the running statistics of batch normalization,
  /// after each step of the optimizer. The model is validated, tested and saved with it.
  ///
  /// `average ← average + (1 - d) · (weights - average)`, `d = min(decay, (1 + t) / (10 + t))`
  ///
  /// with the number `t` of steps so far: at first the average follows faster, so that it soon forgets the
  /// initial weights.
  ///
  /// Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM Journal on
  /// Control and Optimization 30, 1992; the warm-up is that of TensorFlow's `ExponentialMovingAverage`.
  case exponential(decay: Double)

  /// Stochastic weight averaging: in the last part of the training the learning rate stays as it is there,
  /// or goes to another one, and the weights at the end of each of these epochs are averaged. The model
  /// ends with the mean, for which the running statistics of batch normalization are computed anew over the
  /// training batches; `last.safetensors` has it, and tests use it. Before the end the model is validated
  /// with its own weights, and the best ones are of these.
  ///
  /// As in Lightning, averaging begins with epoch `Int(start · maxEpochs)`, counted from 1. Lightning
  /// takes the weights at the beginning of each epoch from there on, so that the last epoch's do not count;
  /// here they do. The learning rate follows PyTorch's `SWALR`: in the epoch `k` after the first of these,
  /// with `a = (1 - cos(π · min(1, k / annealingEpochs))) / 2`, it is
  /// `(1 - a) · rate + a · learningRate`, with the rate at which averaging began.
  ///
  /// - Parameters:
  ///   - start: The fraction of the epochs after which averaging begins.
  ///   - learningRate: The learning rate at last; nil for the one at which averaging began.
  ///   - annealingEpochs: The epochs until then.
  ///
  /// Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization",
  /// arXiv:1803.05407.
  case stochastic(start: Double = 0.8, learningRate: Double? = nil, annealingEpochs: Int = 10)

  /// In words, for messages.
  var words: String {
    switch self {
    case .exponential(let decay): "a moving average of the weights with decay \(decay)"
    case .stochastic(let start, let rate, let epochs):
      "stochastic weight averaging from \(start) of the epochs on"
        + (rate.map { " with the learning rate \($0) after \(epochs) epochs" } ?? "")
    }
  }

  /// Whether the averaged weights are used before training ends.
  var isMoving: Bool {
    if case .exponential = self { true } else { false }
  }

  /// The first epoch, from 0, whose weights are averaged at its end; nil if all steps are.
  package func firstEpoch(of epochs: Int) -> Int? {
    guard case .stochastic(let start, _, _) = self else { return nil }
    return max(Int(start * Double(epochs)) - 1, 0)
  }

  /// The learning rate of an epoch in which weights are averaged at its end.
  ///
  /// - Parameters:
  ///   - epoch: The epochs before it in which they were.
  ///   - rate: The learning rate when that began.
  package func learningRate(inEpoch epoch: Int, from rate: Double) -> Double {
    guard case .stochastic(_, let last?, let epochs) = self else { return rate }
    let share = epochs > 0 ? min(1, Double(epoch) / Double(epochs)) : 1
    let annealed = (1 - cos(.pi * share)) / 2
    return (1 - annealed) * rate + annealed * last
  }
}

/// How far stochastic weight averaging is.
struct StochasticAverage: Codable {
  /// The steps of the optimizer before it began.
  let steps: Int
  /// The learning rate then.
  let learningRate: Double
  /// The number of epochs whose weights were averaged.
  var count = 0
  /// Whether the statistics of batch normalization belong to the averaged weights.
  var isFinished = false
}

/// The averaged weights and running statistics of a model.
struct WeightAverage {
  private let parameters: [Parameter]
  private let statistics: [RunningStatistics]
  private var values: [Tensor]
  private var batches: [Int]

  /// The weights that a model has now.
  init(_ model: some Layer) {
    parameters = model.parameters
    statistics = model.namedStatistics.map(\.statistics)
    (values, batches) = ([], statistics.map(\.batches))
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
    batches = statistics.map(\.batches)
  }

  /// Follows a step of the optimizer, if each one counts.
  ///
  /// - Parameters:
  ///   - averaging: How.
  ///   - steps: The steps of the optimizer so far, including this one.
  mutating func follow(_ averaging: WeightAveraging?, steps: Int) {
    guard case .exponential(let decay) = averaging else { return }
    let warmUp = Double(1 + steps) / Double(10 + steps)
    move(by: 1 - min(decay, warmUp))
  }

  /// Gives the averaged weights to the model.
  func load() { set(values, batches) }

  /// The result of `body` while the model has the averaged weights.
  func applied<Result>(_ body: () throws -> Result) rethrows -> Result {
    let own = (current, statistics.map(\.batches))
    load()
    defer { set(own.0, own.1) }
    return try body()
  }

  private func set(_ tensors: [Tensor], _ batches: [Int]) {
    for (parameter, tensor) in zip(parameters, tensors) { parameter.setValue(tensor) }
    for (index, statistics) in statistics.enumerated() {
      let first = parameters.count + 2 * index
      statistics.set(
        mean: tensors[first], variance: tensors[first + 1], batches: batches[index])
    }
  }
}
