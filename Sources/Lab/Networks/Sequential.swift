import LabTensors

/// Layers one after another.
///
/// ```swift
/// let model = Sequential(Flatten(), Linear(784, 128), ReLU(), Linear(128, 10))
/// ```
///
/// Parameters are named by the index of their layer, such as `1.weight`, as in PyTorch.
public struct Sequential: Layer {
  let layers: [any Layer]

  public init(_ layers: any Layer...) {
    self.layers = layers
  }

  /// - Parameter layers: The layers in their order.
  public init(_ layers: [any Layer]) {
    self.layers = layers
  }

  /// The number of layers.
  public var count: Int { layers.count }

  /// The layer at an index.
  public subscript(index: Int) -> any Layer { layers[index] }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = x
    for layer in layers { x = try layer(x) }
    return x
  }
}

/// The dimensions from `start` on as one; see ``flatten(_:from:)``.
public struct Flatten: Layer {
  /// The first dimension that is flattened.
  public let start: Int

  /// - Parameter start: The first dimension that is flattened; the batch is kept unless it is 0.
  public init(from start: Int = 1) {
    self.start = start
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try flatten(x, from: start)
  }
}
