import Lab
import TestSupport
import Testing

struct AdamTests {
  /// ```python
  /// p = pattern(6)
  /// optimizer = torch.optim.Adam([p], lr=1e-2)  # or with weight_decay=0.1, or AdamW
  /// for k in range(5):
  ///     p.grad = pattern(6, step=3 + k)
  ///     optimizer.step()
  /// ```
  @Test func stepsAreThoseOfPyTorch() throws {
    try expectSteps(
      { Adam($0, learningRate: 1e-2) },
      first: [-1.24000001, 0.50999999, -0.50999999, 1.24000001, 0.25999999, -0.74000001],
      fifth: [-1.20000005, 0.528056443, -0.532299042, 1.23734617, 0.268859357, -0.750933826])
    try expectSteps(
      { Adam($0, learningRate: 1e-2, weightDecay: 0.1) },
      first: [-1.24000001, 0.50999999, -0.50999999, 1.24000001, 0.25999999, -0.74000001],
      fifth: [-1.20000327, 0.523988664, -0.530840218, 1.23191428, 0.267667502, -0.7469607])
    try expectSteps(
      { AdamW($0, learningRate: 1e-2) },
      first: [-1.23987496, 0.509949982, -0.509949982, 1.23987496, 0.259974986, -0.739925027],
      fifth: [-1.19938505, 0.527797937, -0.532040179, 1.23672473, 0.268728316, -0.750560522])
    try expectSteps(
      { AdamW($0, learningRate: 1e-2, weightDecay: 0.1) },
      first: [-1.23874998, 0.509500027, -0.509500027, 1.23874998, 0.259750009, -0.739250004],
      fifth: [-1.19386244, 0.525476158, -0.5297153, 1.23114479, 0.267551452, -0.747208416])
  }

  @Test func aParameterThatIsGivenTwiceIsSteppedOnce() throws {
    // The first step of Adam is lr in the direction of the gradient.
    let value = try steppedOnce { Adam($0, learningRate: 0.25) }
    try expectClose(value, [0.75, 2.25])
    #expect(try steppedOnce { AdamW($0, learningRate: 0.25, weightDecay: 0) } == value)
  }

  @Test func aStateThatDoesNotFitIsRefused() throws {
    let parameter = Parameter(Tensor([1, 2]))
    let optimizer = Adam([parameter])
    expectShapeError(
      "Adam: expected states of 1 parameters, got 0; were they saved for the same model?"
    ) { () throws(ShapeError) in try optimizer.load(state: []) }
    expectShapeError(
      "AdamW: expected states of 1 parameters, got 2; were they saved for the same model?"
    ) { () throws(ShapeError) in try AdamW([parameter]).load(state: [[:], [:]]) }
    let tape = Tape()
    try tape.backward(weightedSum(parameter.on(tape), Tensor([1, 1])))
    optimizer.step()
    #expect(optimizer.state[0]["step"]?.item == 1)
  }

  @Test func aParameterWithoutAGradientStays() {
    let parameter = Parameter(Tensor([1, 2]))
    Adam([parameter]).step()
    AdamW([parameter], weightDecay: 1).step()
    #expect(parameter.value == Tensor([1, 2]))
  }
}
