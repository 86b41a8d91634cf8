/// Normalizes the last dimensions of each element of a batch to mean 0 and variance 1, then scales
/// and shifts them: `y = weight · (x - mean) / √(variance + epsilon) + bias`.
///
/// - Parameters:
///   - x: A tensor whose last dimensions are `normalizedShape`; the result has its shape.
///   - normalizedShape: The extents of the dimensions that are normalized together.
///   - weight: The factors, of shape `normalizedShape`; nil for 1.
///   - bias: The shifts, of shape `normalizedShape`; nil for 0.
///   - epsilon: Added to the variance, which may be 0.
/// - Throws: ``ShapeError`` if a shape does not fit, or there is nothing to normalize.
/// - Complexity: O(elements of x)
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
public func layerNorm(
  _ x: Tensor, normalizedShape: [Int], weight: Tensor? = nil, bias: Tensor? = nil,
  epsilon: Double = 1e-5
) throws(ShapeError) -> Tensor {
  let columns = normalizedShape.reduce(1, *)
  guard !normalizedShape.isEmpty, columns > 0 else {
    throw ShapeError(
      "layerNorm", expected: "a normalized shape with at least one element",
      got: "\(normalizedShape)")
  }
  guard Array(x.shape.suffix(normalizedShape.count)) == normalizedShape else {
    let list = normalizedShape.map(String.init).joined(separator: ", ")
    throw ShapeError(
      "layerNorm", expected: "x of shape [..., \(list)]", got: "\(x.shape)",
      hint: "the layer's size is that of the last dimensions of x")
  }
  for (name, tensor) in [("weight", weight), ("bias", bias)] {
    guard let tensor, tensor.shape != normalizedShape else { continue }
    throw ShapeError(
      "layerNorm", expected: "a \(name) of shape \(normalizedShape)", got: "\(tensor.shape)")
  }
  let backend = try prepare("layerNorm", x, weight, bias)
  let (input, scale) = (x.detached, weight?.detached)
  let (y, saved) = backend.layerNorm(
    x, weight: weight, bias: bias, columns: columns, epsilon: epsilon)
  let target = x.gradientTarget
  let (weightTarget, biasTarget) = (weight?.gradientTarget, bias?.gradientTarget)
  return y.recorded(from: [x, weight, bias].compactMap { $0 }) { dy in
    let (dx, dWeight, dBias) = backend.layerNormGradients(
      input, weight: scale, columns: columns, epsilon: epsilon, dy: dy, saved: saved)
    target.receive(dx)
    weightTarget?.receive(dWeight.viewed(as: normalizedShape))
    biasTarget?.receive(dBias.viewed(as: normalizedShape))
  }
}
