import LabTensors

/// Changes parameters by their gradients, one step at a time.
///
/// To write one, apply ``step()`` to all `parameters` that have a gradient; `momentum` may be a
/// property without effect. An optimizer that remembers tensors between steps also implements
/// ``state`` and ``load(state:)``, so that a run can be resumed.
public protocol Optimizer: AnyObject {
  /// The parameters that are trained, each once.
  var parameters: [Parameter] { get }
  /// The step size. A schedule may change it from step to step.
  var learningRate: Double { get set }
  /// The fraction of the previous steps in a step; Adam's β₁. A schedule may change it too.
  var momentum: Double { get set }

  /// Changes every parameter that has a gradient.
  func step()

  /// The tensors that are remembered between steps: for each parameter, by the names in PyTorch's
  /// `state_dict`, such as `exp_avg`.
  var state: [[String: Tensor]] { get }

  /// Restores ``state``.
  ///
  /// - Parameter state: Tensors by name for each parameter; they are copied.
  /// - Throws: ``ShapeError`` if they do not fit; then nothing changes.
  func load(state: [[String: Tensor]]) throws(ShapeError)
}

extension Optimizer {
  /// No tensors.
  public var state: [[String: Tensor]] { parameters.map { _ in [:] } }

  public func load(state: [[String: Tensor]]) throws(ShapeError) {
    try checkCount(of: state)
  }

  /// Checks that there is a state for each parameter.
  func checkCount(of state: [[String: Tensor]]) throws(ShapeError) {
    guard state.count == parameters.count else {
      throw ShapeError(
        "\(type(of: self))", expected: "states of \(parameters.count) parameters",
        got: "\(state.count)", hint: "were they saved for the same model?")
    }
  }

  /// A copy of a saved tensor.
  ///
  /// - Throws: ``ShapeError`` if there is none or it has another shape.
  func copy(
    _ name: String, of state: [String: Tensor], shape: [Int]
  ) throws(ShapeError) -> Tensor {
    guard let tensor = state[name], tensor.shape == shape else {
      throw ShapeError(
        "\(type(of: self))", expected: "\(name) of shape \(shape)",
        got: state[name].map { "\($0.shape)" } ?? "no such tensor",
        hint: "was the run started with this optimizer?")
    }
    return Tensor(tensor.elements, shape: shape)
  }

  /// Removes all gradients, before the next batch.
  public func clearGradients() {
    for parameter in parameters { parameter.clearGradient() }
  }
}

/// The parameters without repetitions: one that several layers share is stepped once.
func distinct(_ parameters: [Parameter]) -> [Parameter] {
  var known: Set<ObjectIdentifier> = []
  return parameters.filter { known.insert(ObjectIdentifier($0)).inserted }
}
