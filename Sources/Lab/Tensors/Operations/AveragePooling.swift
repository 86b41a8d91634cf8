/// The mean over each window of an image. Padding counts as zeros, also in the number that the sum is
/// divided by, as with PyTorch's `count_include_pad=True`; windows that do not fit are left out.
///
/// x is N images × C channels × H × W pixels; the result N × C × `(H + 2·padding - size) / stride + 1`
/// × the same for the width.
///
/// ```swift
/// try avgPool2d(Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2]), size: 2)  // tensor([[[[3.]]]])
/// ```
///
/// - Parameters:
///   - x: The images.
///   - size: The height and width of a window.
///   - stride: Pixels from one window to the next; `size` unless given.
///   - padding: Zeros around each image, at most half of the size.
/// - Throws: ``ShapeError`` if x does not have four dimensions or is smaller than a window, or a
///   number is out of range.
public func avgPool2d(
  _ x: Tensor, size: Int, stride: Int? = nil, padding: Int = 0
) throws(ShapeError) -> Tensor {
  let stride = stride ?? size
  return try avgPool2d(
    x, size: (size, size), stride: (stride, stride), padding: (padding, padding))
}

/// `avgPool2d` with rectangular windows: height, then width.
public func avgPool2d(
  _ x: Tensor, size: (Int, Int), stride: (Int, Int)? = nil, padding: (Int, Int) = (0, 0)
) throws(ShapeError) -> Tensor {
  let stride = stride ?? size
  try checkImages("avgPool2d", x)
  guard size.0 >= 1, size.1 >= 1, stride.0 >= 1, stride.1 >= 1 else {
    throw ShapeError(
      "avgPool2d", expected: "a size and a stride of at least 1",
      got: "size \(size), stride \(stride)")
  }
  guard padding.0 >= 0, padding.1 >= 0, 2 * padding.0 <= size.0, 2 * padding.1 <= size.1 else {
    throw ShapeError(
      "avgPool2d", expected: "a padding from 0 to half of the size \(size)", got: "\(padding)")
  }
  let (h, w) = (x.shape[2], x.shape[3])
  guard h + 2 * padding.0 >= size.0, w + 2 * padding.1 >= size.1 else {
    throw ShapeError(
      "avgPool2d", expected: "images of at least \(size.0)×\(size.1) pixels, padding included",
      got: "\(h)×\(w) with padding \(padding)", hint: "pool and stride less before")
  }
  return averagePool(
    x,
    AveragePoolingExtents(
      n: x.shape[0], h: h, w: w, channels: x.shape[1], size: (size.0, size.1),
      stride: (stride.0, stride.1), padding: (padding.0, padding.1)))
}

/// The mean over each of `outputSize`×`outputSize` parts of an image, whatever its size.
///
/// Output row i averages the rows from ⌊i H / outputSize⌋ up to ⌈(i + 1) H / outputSize⌉, as in
/// PyTorch.
///
/// - Parameters:
///   - x: N images × C channels × H × W pixels.
///   - outputSize: The height and width of the result.
/// - Throws: ``ShapeError`` if x does not have four dimensions or has no pixels, or the size is not
///   positive.
public func adaptiveAvgPool2d(_ x: Tensor, outputSize: Int) throws(ShapeError) -> Tensor {
  try adaptiveAvgPool2d(x, outputSize: (outputSize, outputSize))
}

/// `adaptiveAvgPool2d` with a height and a width.
public func adaptiveAvgPool2d(
  _ x: Tensor, outputSize: (Int, Int)
) throws(ShapeError) -> Tensor {
  try checkImages("adaptiveAvgPool2d", x)
  guard outputSize.0 >= 1, outputSize.1 >= 1 else {
    throw ShapeError(
      "adaptiveAvgPool2d", expected: "an output size of at least 1", got: "\(outputSize)")
  }
  guard x.shape[2] > 0, x.shape[3] > 0 else {
    throw ShapeError(
      "adaptiveAvgPool2d", expected: "images with at least one pixel", got: "\(x.shape)")
  }
  return averagePool(
    x,
    AveragePoolingExtents(
      n: x.shape[0], h: x.shape[2], w: x.shape[3], channels: x.shape[1], outputH: outputSize.0,
      outputW: outputSize.1))
}

private func checkImages(_ operation: String, _ x: Tensor) throws(ShapeError) {
  guard x.rank == 4 else {
    throw ShapeError(
      operation, expected: "x of shape [images, channels, height, width]", got: "\(x.shape)",
      hint: "pooling comes before flatten")
  }
}

private func averagePool(_ x: Tensor, _ extents: AveragePoolingExtents) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let target = x.gradientTarget
  let y = backend.averagePool(x, extents)
  return y.recorded(from: [x], as: "avgPool2d") { dy in
    target.receive(backend.averagePoolGradient(dy: dy, shape: target.shape, extents))
  }
}
