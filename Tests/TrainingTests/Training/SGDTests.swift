import Lab
import TestSupport
import Testing

struct SGDTests {
  /// ```python
  /// p = pattern(6)
  /// optimizer = torch.optim.SGD([p], lr=1e-2)  # and with the options below
  /// for k in range(5):
  ///     p.grad = pattern(6, step=3 + k)
  ///     optimizer.step()
  /// ```
  @Test func stepsAreThoseOfPyTorch() throws {
    try expectSteps(
      { SGD($0, learningRate: 1e-2) },
      first: [-1.23749995, 0.504999995, -0.502499998, 1.24000001, 0.25999999, -0.747500002],
      fifth: [-1.18749976, 0.5, -0.507499993, 1.23500001, 0.254999995, -0.752499998])
    try expectSteps(
      { SGD($0, learningRate: 1e-2, weightDecay: 0.1) },
      first: [-1.23625004, 0.504499972, -0.501999974, 1.23874998, 0.259750009, -0.746749997],
      fifth: [-1.18138731, 0.497480005, -0.504957557, 1.22877252, 0.253725052, -0.748740017])
    try expectSteps(
      { SGD($0, learningRate: 1e-2, momentum: 0.9) },
      first: [-1.23749995, 0.504999995, -0.502499998, 1.24000001, 0.25999999, -0.747500002],
      fifth: [-1.08569884, 0.519322991, -0.545905292, 1.22821403, 0.275601, -0.767352223])
    try expectSteps(
      { SGD($0, learningRate: 1e-2, momentum: 0.9, weightDecay: 0.1, nesterov: true) },
      first: [-1.22387505, 0.508549988, -0.503799975, 1.22862506, 0.268525004, -0.743825018],
      fifth: [-1.01953232, 0.508797526, -0.540103316, 1.19457078, 0.2735852, -0.755451918])
  }

  @Test func aParameterThatIsGivenTwiceIsSteppedOnce() throws {
    // value - lr · gradient, and with momentum the same in the first step.
    #expect(try steppedOnce { SGD($0, learningRate: 0.25) } == Tensor([0.5, 2.75]))
    #expect(try steppedOnce { SGD($0, learningRate: 0.25, momentum: 0.5) } == Tensor([0.5, 2.75]))
  }

  @Test func aStateThatDoesNotFitIsRefused() throws {
    let parameter = Parameter(Tensor([1, 2]))
    expectShapeError(
      "SGD: expected states of 1 parameters, got 0; were they saved for the same model?"
    ) { () throws(ShapeError) in try SGD([parameter]).load(state: []) }
    expectShapeError(
      "Forgetful: expected states of 1 parameters, got 0; were they saved for the same model?"
    ) { () throws(ShapeError) in try Forgetful([parameter]).load(state: []) }
  }

  /// An optimizer without a state.
  private final class Forgetful: Optimizer {
    let parameters: [Parameter]
    var (learningRate, momentum) = (0.0, 0.0)

    init(_ parameters: [Parameter]) { self.parameters = parameters }

    func step() {}
  }

  @Test func aParameterWithoutAGradientStays() {
    let parameter = Parameter(Tensor([1, 2]))
    SGD([parameter], momentum: 0.9, weightDecay: 1).step()
    #expect(parameter.value == Tensor([1, 2]))
  }
}

/// Expects a parameter's value after the first and after the fifth step of an optimizer.
func expectSteps(
  _ make: ([Parameter]) -> some Optimizer, first: [Float], fifth: [Float],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let parameter = Parameter(pattern([6]))
  let optimizer = make([parameter])
  for k in 0..<5 {
    optimizer.clearGradients()
    let tape = Tape()
    try tape.backward(weightedSum(parameter.on(tape), pattern([6], step: 3 + k)))
    optimizer.step()
    if k == 0 {
      try expectClose(
        parameter.value, first, tolerance: 2e-7, sourceLocation: sourceLocation)
    }
  }
  try expectClose(parameter.value, fifth, tolerance: 4e-7, sourceLocation: sourceLocation)
}

/// The values [1, 2] after a step with the gradients [2, -3], for an optimizer that was given their
/// parameter twice, as by a model whose layers share it.
func steppedOnce(_ make: ([Parameter]) -> some Optimizer) throws -> Tensor {
  let parameter = Parameter(Tensor([1, 2]))
  let optimizer = make([parameter, parameter])
  #expect(optimizer.parameters.count == 1)
  let tape = Tape()
  try tape.backward(weightedSum(parameter.on(tape), Tensor([2, -3])))
  optimizer.step()
  return parameter.value
}
