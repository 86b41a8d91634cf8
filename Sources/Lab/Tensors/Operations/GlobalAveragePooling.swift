import Kernels

/// The mean of each channel over all pixels of an image: what is left of an image where its size
/// does not matter, as PyTorch's `AdaptiveAvgPool2d(1)` and a flatten.
///
/// x is N images × C channels × H × W pixels, the result N × C.
///
/// ```swift
/// try globalAveragePool(Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2]))  // tensor([[3.]])
/// ```
///
/// - Throws: ``ShapeError`` if x has not four dimensions, or no pixels.
/// - Complexity: O(elements of x)
public func globalAveragePool(_ x: Tensor) throws(ShapeError) -> Tensor {
  guard x.rank == 4, x.shape[2] * x.shape[3] > 0 else {
    throw ShapeError(
      "globalAveragePool",
      expected: "x of shape [images, channels, height, width]"
        + (x.rank == 4 ? " with at least one pixel" : ""),
      got: "\(x.shape)", hint: x.rank == 4 ? nil : "pooling comes before flatten")
  }
  let (images, channels, pixels) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
  let y = Tensor(uninitialized: [images, channels])
  meanOfPixels(
    x.pointer(.channelsLast), into: y.pointer, n: images, pixels: pixels, channels: channels)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape, layout: .channelsLast)
    meanOfPixelsGradient(
      dy: dy.pointer, dx: dx.pointer(.channelsLast), n: images, pixels: pixels, channels: channels)
    x.receive(dx)
  }
}
