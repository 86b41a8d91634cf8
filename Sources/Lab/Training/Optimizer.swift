/// Changes parameters by their gradients, one step at a time.
public protocol Optimizer: AnyObject {
  /// What is being learned.
  var parameters: [Parameter] { get }

  /// Changes every parameter that has a gradient.
  func step()
}

extension Optimizer {
  /// Forgets all gradients, before the next batch.
  public func clearGradients() {
    for parameter in parameters { parameter.clearGradient() }
  }
}

/// Adam, step for step PyTorch's `torch.optim.Adam`.
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
/// `value ← value - lr · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
public final class Adam: Optimizer {
  public let parameters: [Parameter]
  /// The step size, lr.
  public var learningRate: Double
  private let beta1 = 0.9
  private let beta2 = 0.999
  private let epsilon = 1e-8
  private var states: [State]

  private struct State {
    let moment1, moment2: Tensor
    var step = 0
  }

  /// - Parameters:
  ///   - parameters: What to learn.
  ///   - learningRate: The step size.
  public init(_ parameters: [Parameter], learningRate: Double = 1e-3) {
    self.parameters = parameters
    self.learningRate = learningRate
    states = parameters.map {
      State(
        moment1: Tensor(repeating: 0, shape: $0.shape),
        moment2: Tensor(repeating: 0, shape: $0.shape))
    }
  }

  public func step() {
    for (index, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      states[index].step += 1
      let state = states[index]
      adamStep(
        parameter.value, gradient: gradient, moment1: state.moment1, moment2: state.moment2,
        step: state.step, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    }
  }
}

/// Stochastic gradient descent: `value ← value - lr · g`.
public final class SGD: Optimizer {
  public let parameters: [Parameter]
  /// The step size, lr.
  public var learningRate: Double

  /// - Parameters:
  ///   - parameters: What to learn.
  ///   - learningRate: The step size.
  public init(_ parameters: [Parameter], learningRate: Double = 1e-3) {
    self.parameters = parameters
    self.learningRate = learningRate
  }

  public func step() {
    for parameter in parameters {
      guard let gradient = parameter.gradient else { continue }
      gradientDescentStep(parameter.value, gradient: gradient, learningRate: learningRate)
    }
  }
}
