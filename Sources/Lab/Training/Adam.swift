import LabTensors

/// Adam, the same steps as PyTorch's `torch.optim.Adam`.
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
/// `value ← value - lr · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
public class Adam: Optimizer {
  public let parameters: [Parameter]
  public var learningRate: Double
  /// β₁.
  public var momentum = 0.9
  /// The fraction of the value that is added to the gradient; ``AdamW`` decays the value instead.
  public let weightDecay: Double
  private let beta2 = 0.999
  private let epsilon = 1e-8
  private let isDecoupled: Bool
  private var states: [State]

  private struct State {
    var moment1, moment2: Tensor
    var step = 0
  }

  /// - Parameters:
  ///   - parameters: The parameters to train; repeated ones are stepped once.
  ///   - learningRate: The step size.
  ///   - weightDecay: The fraction of the value that is added to the gradient.
  public convenience init(
    _ parameters: [Parameter], learningRate: Double = 1e-3, weightDecay: Double = 0
  ) {
    self.init(
      parameters, learningRate: learningRate, weightDecay: weightDecay, isDecoupled: false)
  }

  fileprivate init(
    _ parameters: [Parameter], learningRate: Double, weightDecay: Double, isDecoupled: Bool
  ) {
    let parameters = distinct(parameters)
    self.parameters = parameters
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.isDecoupled = isDecoupled
    states = parameters.map {
      State(
        moment1: Tensor(repeating: 0, shape: $0.shape),
        moment2: Tensor(repeating: 0, shape: $0.shape))
    }
  }

  public func step() {
    // All parameters on one device are stepped at once: on a GPU each call takes its time.
    var updates: [(device: Device, updates: [AdamUpdate])] = []
    for (index, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      states[index].step += 1
      // The model may have been moved. Copies of the moments, as in a state that was read before, stay
      // as they are.
      let device = parameter.value.device
      states[index].moment1 = states[index].moment1.to(device)
      states[index].moment2 = states[index].moment2.to(device)
      states[index].moment1.makeUnique()
      states[index].moment2.makeUnique()
      let state = states[index]
      let step = AdamStep(
        step: state.step, learningRate: learningRate, beta1: momentum, beta2: beta2,
        epsilon: epsilon, weightDecay: weightDecay, isDecoupled: isDecoupled)
      let entry: Int
      if let index = updates.firstIndex(where: { $0.device == device }) {
        entry = index
      } else {
        entry = updates.count
        updates.append((device, []))
      }
      parameter.update { value in
        updates[entry].updates.append(
          AdamUpdate(
            value: value, gradient: gradient, moment1: state.moment1, moment2: state.moment2,
            step: step))
      }
    }
    for (device, updates) in updates { device.backend.adamSteps(updates) }
  }

  public var state: [[String: Tensor]] {
    states.map {
      [
        "exp_avg": $0.moment1, "exp_avg_sq": $0.moment2,
        "step": Tensor([Float($0.step)], shape: []),
      ]
    }
  }

  public func load(state: [[String: Tensor]]) throws(ShapeError) {
    try checkCount(of: state)
    var loaded: [State] = []
    for (parameter, state) in zip(parameters, state) {
      let count = try copy("step", of: state, shape: []).item
      guard let step = Int(exactly: count), step >= 0 else {
        throw ShapeError("Adam", expected: "step to be a number of steps", got: "\(count)")
      }
      loaded.append(
        State(
          moment1: try copy("exp_avg", of: state, shape: parameter.shape),
          moment2: try copy("exp_avg_sq", of: state, shape: parameter.shape),
          step: step))
    }
    states = loaded
  }
}

/// Adam with decoupled weight decay, the same steps as PyTorch's `torch.optim.AdamW`: before each step
/// `value ← value · (1 - lr · weightDecay)`.
///
/// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
public final class AdamW: Adam {
  /// - Parameters:
  ///   - parameters: The parameters to train; repeated ones are stepped once.
  ///   - learningRate: The step size.
  ///   - weightDecay: The fraction of the value that a step of size 1 removes.
  public init(_ parameters: [Parameter], learningRate: Double = 1e-3, weightDecay: Double = 0.01) {
    super.init(
      parameters, learningRate: learningRate, weightDecay: weightDecay, isDecoupled: true)
  }
}
