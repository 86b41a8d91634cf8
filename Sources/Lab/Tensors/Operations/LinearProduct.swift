import Kernels

/// A fully connected layer's product: `y = x weightᵀ + bias`.
///
/// | | shape |
/// | --- | --- |
/// | x | N rows × I features |
/// | weight | O features out × I |
/// | bias | O, or nil |
/// | result | N × O |
///
/// ```swift
/// let x = Tensor([1, 2], shape: [1, 2])
/// try linear(x, weight: Tensor([3, 4], shape: [1, 2]), bias: Tensor([5]))  // tensor([[16.]])
/// ```
///
/// - Parameters:
///   - x: A batch of features.
///   - weight: The weights, a row for each feature out.
///   - bias: What is added to each feature out.
/// - Throws: ``ShapeError`` if a shape does not fit.
/// - Complexity: O(N · I · O)
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) throws(ShapeError) -> Tensor {
  guard weight.rank == 2 else {
    throw ShapeError(
      "linear", expected: "a weight of shape [features out, features in]", got: "\(weight.shape)")
  }
  let (outputs, inputs) = (weight.shape[0], weight.shape[1])
  guard x.rank == 2, x.shape[1] == inputs else {
    throw ShapeError(
      "linear", expected: "x of shape [rows, \(inputs)] (the weight is \(weight.shape))",
      got: "\(x.shape)", hint: linearHint(x, inputs: inputs))
  }
  guard bias == nil || bias?.shape == [outputs] else {
    throw ShapeError(
      "linear", expected: "a bias of shape [\(outputs)], one number a feature out",
      got: "\(bias?.shape ?? [])")
  }
  let rows = x.shape[0]
  let y = Tensor(uninitialized: [rows, outputs])
  linear(
    x: x.pointer, weight: weight.pointer, bias: bias?.pointer, y: y.pointer,
    n: rows, inputs: inputs, outputs: outputs)
  return y.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { dy in
    if x.needsGradient {
      let dx = Tensor(uninitialized: x.shape)
      linearInputGradient(
        dy: dy.pointer, weight: weight.pointer, dx: dx.pointer,
        n: rows, inputs: inputs, outputs: outputs)
      x.receive(dx)
    }
    if weight.needsGradient {
      let dWeight = Tensor(uninitialized: weight.shape)
      linearWeightGradient(
        dy: dy.pointer, x: x.pointer, dWeight: dWeight.pointer,
        n: rows, inputs: inputs, outputs: outputs)
      weight.receive(dWeight)
    }
    if let bias, bias.needsGradient {
      let dBias = Tensor(uninitialized: bias.shape)
      sumRows(dy.pointer, rows: rows, columns: outputs, into: dBias.pointer)
      bias.receive(dBias)
    }
  }
}

private func linearHint(_ x: Tensor, inputs: Int) -> String {
  let features = x.shape.dropFirst().reduce(1, *)
  if x.rank > 2, features == inputs { return "flatten x before a linear layer" }
  if x.rank > 2 {
    return "flatten x before a linear layer; it then has \(features) features, so the layer is"
      + " Linear(\(features), …)"
  }
  return "the layer's first size is the number of features that come in"
}
