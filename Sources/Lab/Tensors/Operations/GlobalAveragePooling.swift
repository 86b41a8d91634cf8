/// The mean of each channel over all pixels of an image, as PyTorch's `AdaptiveAvgPool2d(1)` followed
/// by a flatten.
///
/// x is N images × C channels × H × W pixels, the result N × C.
///
/// ```swift
/// try globalAveragePool(Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2]))  // tensor([[3.]])
/// ```
///
/// - Throws: ``ShapeError`` if x does not have four dimensions, or has no pixels.
/// - Complexity: O(elements of x)
public func globalAveragePool(_ x: Tensor) throws(ShapeError) -> Tensor {
  guard x.rank == 4, x.shape[2] * x.shape[3] > 0 else {
    throw ShapeError(
      "globalAveragePool",
      expected: "x of shape [images, channels, height, width]"
        + (x.rank == 4 ? " with at least one pixel" : ""),
      got: "\(x.shape)", hint: x.rank == 4 ? nil : "pooling comes before flatten")
  }
  x.materialize()
  let backend = x.storage.backend
  let target = x.gradientTarget
  return backend.globalAveragePool(x).recorded(from: [x]) { dy in
    target.receive(backend.globalAveragePoolGradient(dy: dy, shape: target.shape))
  }
}
