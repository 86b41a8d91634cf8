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
}

extension Optimizer {
  /// Forgets all gradients, before the next batch.
  public func clearGradients() {
    for parameter in parameters { parameter.clearGradient() }
  }
}
