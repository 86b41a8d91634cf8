import LabTensors

/// Stochastic gradient descent, the same steps as PyTorch's `torch.optim.SGD`.
///
/// `velocity ← momentum · velocity + g`, `value ← value - lr · velocity`; with `nesterov`
/// `value ← value - lr · (g + momentum · velocity)`.
///
/// Source: Sutskever et al., "On the Importance of Initialization and Momentum in Deep Learning",
/// ICML 2013.
public final class SGD: Optimizer {
  public let parameters: [Parameter]
  public var learningRate: Double
  public var momentum: Double
  /// The fraction of the value that is added to the gradient.
  public let weightDecay: Double
  /// Whether to use Nesterov momentum: the gradient at the look-ahead point.
  public let nesterov: Bool
  private var velocities: [Tensor?]

  /// - Parameters:
  ///   - parameters: The parameters to train; repeated ones are stepped once.
  ///   - learningRate: The step size.
  ///   - momentum: The fraction of the velocity that remains after a step.
  ///   - weightDecay: The fraction of the value that is added to the gradient.
  ///   - nesterov: Whether to use Nesterov momentum: the gradient at the look-ahead point.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-3, momentum: Double = 0,
    weightDecay: Double = 0, nesterov: Bool = false
  ) {
    let parameters = distinct(parameters)
    self.parameters = parameters
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
    velocities = parameters.map { _ in nil }
  }

  public func step() {
    for (index, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      // From a velocity of zeros the first one is the gradient itself, as in PyTorch.
      if momentum != 0, velocities[index] == nil {
        velocities[index] = Tensor(repeating: 0, shape: parameter.shape)
      }
      // The model may have been moved. Copies of the velocity, as in a state that was read before,
      // stay as they are.
      velocities[index] = velocities[index]?.to(parameter.value.device)
      velocities[index]?.makeUnique()
      let velocity = momentum != 0 ? velocities[index] : nil
      let step = GradientDescentStep(
        learningRate: learningRate, momentum: momentum, weightDecay: weightDecay,
        nesterov: nesterov)
      parameter.update { value in
        value.storage.backend.gradientDescentStep(
          value, gradient: gradient, velocity: velocity, step)
      }
    }
  }

  public var state: [[String: Tensor]] {
    velocities.map { velocity in velocity.map { ["momentum_buffer": $0] } ?? [:] }
  }

  public func load(state: [[String: Tensor]]) throws(ShapeError) {
    try checkCount(of: state)
    var loaded: [Tensor?] = []
    for (parameter, state) in zip(parameters, state) {
      loaded.append(
        state.isEmpty ? nil : try copy("momentum_buffer", of: state, shape: parameter.shape))
    }
    velocities = loaded
  }
}
