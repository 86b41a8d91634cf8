/// A fully connected layer's product: `y = x weightᵀ + bias`.
///
/// | | shape |
/// | --- | --- |
/// | x | N rows × I features |
/// | weight | O output features × I |
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
///   - weight: The weights, a row for each output feature.
///   - bias: What is added to each output feature.
/// - Throws: ``ShapeError`` if a shape does not fit.
/// - Complexity: O(N · I · O)
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) throws(ShapeError) -> Tensor {
  guard weight.rank == 2 else {
    throw ShapeError(
      "linear", expected: "a weight of shape [output features, input features]",
      got: "\(weight.shape)")
  }
  let (outputs, inputs) = (weight.shape[0], weight.shape[1])
  guard x.rank == 2, x.shape[1] == inputs else {
    throw ShapeError(
      "linear", expected: "x of shape [rows, \(inputs)] (the weight is \(weight.shape))",
      got: "\(x.shape)", hint: linearHint(x, inputs: inputs))
  }
  guard bias == nil || bias?.shape == [outputs] else {
    throw ShapeError(
      "linear", expected: "a bias of shape [\(outputs)], one number for each output feature",
      got: "\(bias?.shape ?? [])")
  }
  let backend = try prepare("linear", x, weight, bias)
  let y = backend.linear(x, weight: weight, bias: bias)
  return y.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { dy in
    let (features, matrix) = (x.detached, weight.detached)
    if x.needsGradient {
      x.receive(backend.linearInputGradient(dy: dy, x: features, weight: matrix))
    }
    if let bias, bias.needsGradient, weight.needsGradient {
      let gradients = backend.linearParameterGradients(dy: dy, x: features, weight: matrix)
      weight.receive(gradients.weight)
      bias.receive(gradients.bias)
      return
    }
    if weight.needsGradient {
      weight.receive(backend.linearWeightGradient(dy: dy, x: features, weight: matrix))
    }
    if let bias, bias.needsGradient { bias.receive(backend.sumRows(dy)) }
  }
}

private func linearHint(_ x: Tensor, inputs: Int) -> String {
  let features = x.shape.dropFirst().reduce(1, *)
  if x.rank > 2, features == inputs { return "flatten x before a linear layer" }
  if x.rank > 2 {
    return "flatten x before a linear layer; it then has \(features) features, so the layer is"
      + " Linear(\(features), …)"
  }
  return "the layer's first size is the number of input features"
}
