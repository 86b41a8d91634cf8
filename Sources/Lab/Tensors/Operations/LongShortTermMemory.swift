/// One direction of an LSTM: its weights, and whether it goes from the last step to the first.
package struct LSTMDirection {
  package let weightIH, weightHH, biasIH, biasHH: Tensor
  package let isReversed: Bool

  package init(
    weightIH: Tensor, weightHH: Tensor, biasIH: Tensor, biasHH: Tensor, isReversed: Bool
  ) {
    (self.weightIH, self.weightHH) = (weightIH, weightHH)
    (self.biasIH, self.biasHH, self.isReversed) = (biasIH, biasHH, isReversed)
  }

  /// The weights in PyTorch's order.
  package var weights: [Tensor] { [weightIH, weightHH, biasIH, biasHH] }

  /// The same weights off the tape.
  fileprivate var detached: LSTMDirection {
    LSTMDirection(
      weightIH: weightIH.detached, weightHH: weightHH.detached, biasIH: biasIH.detached,
      biasHH: biasHH.detached, isReversed: isReversed)
  }
}

/// A layer of long short-term memory over sequences, in one direction; the state is zero at first.
///
/// At each step t, from the input x and the outputs h of the step before:
///
/// ```text
/// i, f, o = sigmoid(weight x[t] + bias + weight h[t - 1] + bias)    (rows of each gate)
/// g = tanh(weight x[t] + bias + weight h[t - 1] + bias)
/// c[t] = f · c[t - 1] + i · g
/// h[t] = o · tanh(c[t])
/// ```
///
/// | | shape |
/// | --- | --- |
/// | x | T steps × N items × I inputs |
/// | weightIH, weightHH | 4H × I and 4H × H, the rows of the gates i, f, g, o after each other |
/// | biasIH, biasHH | 4H each |
/// | result | T × N × H: h of all steps |
///
/// - Parameters:
///   - x: The sequences.
///   - weightIH: The weights of the inputs.
///   - weightHH: The weights of the outputs of the step before.
///   - biasIH: What is added to the gates.
///   - biasHH: What is added to the gates, too; two as in PyTorch.
///   - reverse: Whether to go from the last step to the first. The result has the order of x.
/// - Throws: ``ShapeError`` if a shape does not fit.
/// - Complexity: O(T · N · H · (I + H))
///
/// Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with
/// the forget gate of Gers, Schmidhuber and Cummins, "Learning to Forget" (2000).
public func lstm(
  _ x: Tensor, weightIH: Tensor, weightHH: Tensor, biasIH: Tensor, biasHH: Tensor,
  reverse: Bool = false
) throws(ShapeError) -> Tensor {
  try lstm(
    x,
    [
      LSTMDirection(
        weightIH: weightIH, weightHH: weightHH, biasIH: biasIH, biasHH: biasHH,
        isReversed: reverse)
    ])
}

/// Several directions over the same sequences, their outputs side by side: T × N × directions · H.
/// They are computed together, so that no step has to wait for as many threads twice.
package func lstm(_ x: Tensor, _ directions: [LSTMDirection]) throws(ShapeError) -> Tensor {
  for direction in directions { try checkDirection(x, direction) }
  let weights = directions.flatMap(\.weights)
  let backend = try commonBackend("lstm", [x] + weights)
  for input in [x] + weights { input.materialize() }
  let plain = directions.map(\.detached)
  let saves = ([x] + weights).contains(where: \.needsGradient)
  let (y, saved) = backend.lstm(x, plain, saves: saves)
  let (input, outputs) = (x.detached, y)
  let targets = ([x] + weights).map(\.gradientTarget)
  return y.recorded(from: [x] + weights) { dy in
    let (dx, gradients) = backend.lstmGradients(
      input, plain, y: outputs, dy: dy, saved: saved, wantsInput: targets[0].needsGradient)
    if let dx { targets[0].receive(dx) }
    for (direction, gradient) in gradients.enumerated() {
      let all = [gradient.weightIH, gradient.weightHH, gradient.bias, gradient.bias]
      for (target, gradient) in zip(targets[(1 + 4 * direction)...], all) {
        target.receive(gradient)
      }
    }
  }
}

private func checkDirection(_ x: Tensor, _ direction: LSTMDirection) throws(ShapeError) {
  let (ih, hh) = (direction.weightIH.shape, direction.weightHH.shape)
  guard hh.count == 2, hh[0] == 4 * hh[1], hh[1] > 0 else {
    throw ShapeError(
      "lstm", expected: "a recurrent weight of shape [4 * units, units]", got: "\(hh)",
      hint: "the rows are those of four gates")
  }
  guard ih.count == 2, ih[0] == hh[0] else {
    throw ShapeError(
      "lstm", expected: "an input weight of shape [\(hh[0]), inputs] (the recurrent one is \(hh))",
      got: "\(ih)")
  }
  for bias in [direction.biasIH, direction.biasHH] where bias.shape != [hh[0]] {
    throw ShapeError(
      "lstm", expected: "biases of shape [\(hh[0])], one number for each row of the weights",
      got: "\(bias.shape)")
  }
  guard x.rank == 3, x.shape[2] == ih[1] else {
    throw ShapeError(
      "lstm", expected: "x of shape [steps, items, \(ih[1])] (the input weight is \(ih))",
      got: "\(x.shape)",
      hint: x.rank == 2 ? "a single sequence is a batch of one: [steps, 1, inputs]" : nil)
  }
}
