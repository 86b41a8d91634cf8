import LabTensors

/// Changes parameters by their gradients, one step at a time.
public protocol Optimizer: AnyObject {
  /// What is being learned.
  var parameters: [Parameter] { get }
  /// The step size, lr. A schedule may change it from step to step.
  var learningRate: Double { get set }
  /// How much of the steps before goes into a step; Adam's β₁. A schedule may change it too.
  var momentum: Double { get set }

  /// Changes every parameter that has a gradient.
  func step()

  /// What it remembers from step to step, for each parameter by the names in PyTorch's `state_dict`,
  /// such as `exp_avg`.
  var state: [[String: Tensor]] { get }

  /// Goes back to what ``state`` was.
  ///
  /// - Parameter state: For each parameter, tensors by name; they are copied.
  /// - Throws: ``ShapeError`` if they do not fit.
  func load(state: [[String: Tensor]]) throws(ShapeError)
}

extension Optimizer {
  /// Nothing, for an optimizer that remembers nothing.
  public var state: [[String: Tensor]] { parameters.map { _ in [:] } }

  public func load(state: [[String: Tensor]]) throws(ShapeError) {}

  /// A copy of a remembered tensor.
  ///
  /// - Throws: ``ShapeError`` if it is not there or has another shape.
  func copy(
    _ name: String, of state: [String: Tensor], shape: [Int]
  ) throws(ShapeError) -> Tensor {
    guard let tensor = state[name], tensor.shape == shape else {
      throw ShapeError(
        "\(type(of: self))", expected: "\(name) of shape \(shape)",
        got: state[name].map { "\($0.shape)" } ?? "no such tensor",
        hint: "was the run begun with it?")
    }
    return Tensor(tensor.elements, shape: shape)
  }

  /// Forgets all gradients, before the next batch.
  public func clearGradients() {
    for parameter in parameters { parameter.clearGradient() }
  }
}
