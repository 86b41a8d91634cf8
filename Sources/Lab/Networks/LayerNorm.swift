import LabTensors

/// Normalizes the last dimensions of each element of a batch, initialized as PyTorch's `LayerNorm`;
/// see ``layerNorm(_:normalizedShape:weight:bias:epsilon:)``.
public struct LayerNorm: Layer {
  /// The extents of the dimensions that are normalized together.
  public let normalizedShape: [Int]
  /// The factors, initially 1; nil if the layer has none.
  public let weight: Parameter?
  /// The shifts, initially 0; nil if the layer has none.
  public let bias: Parameter?
  /// Added to the variance.
  public let epsilon: Double

  /// - Parameters:
  ///   - normalizedShape: The extents of the last dimensions.
  ///   - epsilon: Added to the variance.
  ///   - elementwiseAffine: Whether there are factors and shifts.
  ///   - bias: Whether there are shifts, if there are factors.
  public init(
    _ normalizedShape: [Int], epsilon: Double = 1e-5, elementwiseAffine: Bool = true,
    bias: Bool = true
  ) {
    self.normalizedShape = normalizedShape
    self.epsilon = epsilon
    weight = elementwiseAffine ? Parameter(Tensor(repeating: 1, shape: normalizedShape)) : nil
    self.bias =
      elementwiseAffine && bias ? Parameter(Tensor(repeating: 0, shape: normalizedShape)) : nil
  }

  /// A layer that normalizes the last dimension.
  public init(
    _ size: Int, epsilon: Double = 1e-5, elementwiseAffine: Bool = true, bias: Bool = true
  ) {
    self.init([size], epsilon: epsilon, elementwiseAffine: elementwiseAffine, bias: bias)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try layerNorm(
      x, normalizedShape: normalizedShape, weight: weight?.on(x.tape), bias: bias?.on(x.tape),
      epsilon: epsilon)
  }
}
