import LabTensors

/// Limits gradients before each step of the optimizer, so that a single batch cannot change the weights
/// too much: PyTorch's `clip_grad_norm_` and `clip_grad_value_`.
///
/// ```swift
/// trainer.gradientClipping = .norm(1)
/// ```
///
/// With a norm, a training on a GPU waits for the device in each step.
///
/// Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
/// arXiv:1211.5063.
public enum GradientClipping: Equatable, Sendable {
  /// All gradients are multiplied by the same number, if their common Euclidean norm is larger than this
  /// one.
  case norm(Double)
  /// Each element is limited to this absolute value.
  case value(Double)

  /// Limits the gradients of some parameters.
  ///
  /// - Throws: ``ShapeError`` if gradients are on several devices.
  package func limit(_ parameters: [Parameter]) throws(ShapeError) {
    switch self {
    case .norm(let most):
      var squares: [Tensor] = []
      for gradient in parameters.compactMap(\.gradient) {
        squares.append(sum(try gradient * gradient))
      }
      let norm = Tensor.items(of: squares).reduce(0) { $0 + Double($1) }.squareRoot()
      // What PyTorch adds, so that nothing is divided by 0.
      let factor = most / (norm + 1e-6)
      // With a norm that is not finite the weights will not be either, which ends training.
      guard factor < 1 || !norm.isFinite else { return }
      for parameter in parameters {
        parameter.setGradient(parameter.gradient.map { $0 * Float(factor) })
      }
    case .value(let most):
      for parameter in parameters {
        guard let gradient = parameter.gradient else { continue }
        let limit = Tensor([Float(most)]).to(gradient.device)
        parameter.setGradient(try maximum(minimum(gradient, limit), -limit))
      }
    }
  }
}

/// The gradients of several batches, of which the optimizer makes a single step: Lightning's
/// `accumulate_grad_batches`. Each batch counts for a fixed share, also if there are fewer at the end
/// of an epoch.
struct GradientAccumulation {
  /// The number of batches.
  let count: Int
  private var sums: [Tensor?] = []

  init(_ count: Int) {
    self.count = count
  }

  /// Adds the gradients of a batch.
  mutating func add(_ parameters: [Parameter]) {
    let shares = parameters.map { parameter in parameter.gradient.map { $0 * (1 / Float(count)) } }
    guard !sums.isEmpty else {
      sums = shares
      return
    }
    sums = zip(sums, shares).map { sum, share in
      guard let sum, let share else { return sum ?? share }
      return sum.adding(share)
    }
  }

  /// Gives the sums to the parameters, for the optimizer's step.
  mutating func finish(_ parameters: [Parameter]) {
    for (parameter, sum) in zip(parameters, sums) { parameter.setGradient(sum) }
    sums = []
  }
}
