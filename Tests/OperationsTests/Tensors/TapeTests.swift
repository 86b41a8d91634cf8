import Lab
import TestSupport
import Testing

struct TapeTests {
  @Test func goesBackThroughSeveralOperations() throws {
    let tape = Tape()
    let x = tape.variable(Tensor([1, -2, 3]))
    try tape.backward(sum(relu(x)))
    #expect(tape.gradient(of: x) == Tensor([1, 0, 1]))
  }

  @Test func aTensorUsedTwiceGetsTheSum() throws {
    let tape = Tape()
    let x = tape.variable(Tensor([1, 2]))
    try tape.backward(sum(relu(x) + x))
    #expect(tape.gradient(of: x) == Tensor([2, 2]))
  }

  @Test func dataGetsNoGradient() throws {
    let tape = Tape()
    let (x, w) = (tape.input(Tensor([1, 2])), tape.variable(Tensor([3, 4])))
    try tape.backward(sum(x + w))
    #expect(tape.gradient(of: x) == nil)
    #expect(tape.gradient(of: w) == Tensor([1, 1]))
  }

  @Test func aParameterAddsUpItsGradients() throws {
    let parameter = Parameter(Tensor([1, 2]))
    for times in 1...2 {
      let tape = Tape()
      try tape.backward(sum(parameter.on(tape) + tape.input(Tensor([0, 0]))))
      #expect(parameter.gradient == Tensor(repeating: Float(times), shape: [2]))
    }
    parameter.clearGradient()
    #expect(parameter.gradient == nil)
  }

  @Test func whatWasRecordedIsFreed() throws {
    let tape = Tape()
    weak var storage: Storage?
    let x = tape.variable(Tensor([1, 2]))
    try {
      let y = relu(x)
      storage = y.storage
      try tape.backward(sum(y))
    }()
    #expect(storage == nil)
  }

  @Test func whatWasRecordedIsFreedWithoutABackwardPass() throws {
    weak var tape: Tape?
    weak var storage: Storage?
    do {
      let recorded = Tape()
      let x = recorded.variable(pattern([2, 8, 8, 8]))
      let y = relu(try conv2d(x, weight: recorded.variable(pattern([8, 8, 3, 3])), padding: 1))
      _ = try sum(flatten(maxPool2d(y + y, size: 2)))
      (tape, storage) = (recorded, y.storage)
      #expect(tape != nil && storage != nil)
    }
    #expect(tape == nil)
    #expect(storage == nil)
  }

  @Test func aTapeIsUsedOnce() throws {
    let tape = Tape()
    let parameter = Parameter(Tensor([1, 2]))
    let x = parameter.on(tape)
    let losses = [sum(x), sum(relu(x))]
    try tape.backward(losses[0])
    expectShapeError(
      "backward: expected a tape that is used once, got a second call; add up the losses and call "
        + "backward with their sum, or take a tape for each"
    ) { () throws(ShapeError) in
      try tape.backward(losses[1])
    }
    #expect(parameter.gradient == Tensor([1, 1]))
  }

  @Test func twoLossesAreTrainedByTheirSum() throws {
    let tape = Tape()
    let parameter = Parameter(Tensor([1, -2]))
    let x = parameter.on(tape)
    try tape.backward(sum(x) + sum(relu(x)))
    #expect(parameter.gradient == Tensor([2, 1]))
  }

  @Test func anOperationOfOnesOwnHasAGradient() throws {
    func square(_ x: Tensor) -> Tensor {
      let y = Tensor(x.elements.map { $0 * $0 }, shape: x.shape)
      return y.recorded(from: [x]) { dy in
        x.receive(Tensor(zip(x.elements, dy.elements).map { 2 * $0 * $1 }, shape: x.shape))
      }
    }
    let tape = Tape()
    let x = tape.variable(Tensor([1, -2, 3]))
    try tape.backward(sum(square(square(x))))
    #expect(tape.gradient(of: x) == Tensor([4, -32, 108]))
    #expect(square(Tensor([3])).tape == nil)
  }

  @Test func withoutATapeNothingIsRecorded() {
    #expect(relu(Tensor([1])).tape == nil)
    #expect(Parameter(Tensor([1])).on(nil).tape == nil)
  }

  @Test func errorsSayWhatToDo() {
    let tape = Tape()
    expectShapeError(
      "backward: expected a loss of one element, got shape [2]; "
        + "reduce it first, for example with crossEntropy or sum"
    ) { () throws(ShapeError) in
      try tape.backward(tape.variable(Tensor([1, 2])))
    }
    expectShapeError(
      "backward: expected a loss computed from tensors on this tape, got a tensor that is not on "
        + "it; pass the batch through tape.input(x) before the model"
    ) { () throws(ShapeError) in
      try tape.backward(Tensor([1]))
    }
    expectShapeError("load: expected a value of shape [2], got [3]") { () throws(ShapeError) in
      try Parameter(Tensor([1, 2])).load(Tensor([1, 2, 3]))
    }
  }
}
