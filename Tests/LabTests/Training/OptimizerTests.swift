import Lab
import Testing

struct OptimizerTests {
  /// ```python
  /// p, q = pattern(6), pattern(6)
  /// adam, sgd = torch.optim.Adam([p], lr=1e-3), torch.optim.SGD([q], lr=1e-2)
  /// for k in range(3):
  ///     p.grad = q.grad = pattern(6, step=3 + k)
  ///     adam.step(), sgd.step()
  /// ```
  @Test func stepsAreThoseOfPyTorch() throws {
    let (p, q) = (Parameter(pattern([6])), Parameter(pattern([6])))
    let (adam, sgd) = (Adam([p], learningRate: 1e-3), SGD([q], learningRate: 1e-2))
    for k in 0..<3 {
      for optimizer in [adam, sgd] as [any Optimizer] {
        optimizer.clearGradients()
        let tape = Tape()
        let parameter = optimizer.parameters[0].on(tape)
        try tape.backward(weightedSum(parameter, pattern([6], step: 3 + k)))
        optimizer.step()
      }
    }
    try expectClose(
      p.value,
      [-1.24699986, 0.502652705, -0.502836823, 1.24920404, 0.251584172, -0.749669671],
      tolerance: 2e-7)
    try expectClose(
      q.value,
      [-1.21249986, 0.507499993, -0.522499979, 1.25250006, 0.249999985, -0.752499998],
      tolerance: 2e-7)
  }

  @Test func aParameterWithoutAGradientStays() {
    let parameter = Parameter(Tensor([1, 2]))
    Adam([parameter]).step()
    SGD([parameter]).step()
    #expect(parameter.value == Tensor([1, 2]))
  }
}
