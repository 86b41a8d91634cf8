import Kernels

/// The two-dimensional convolution of a batch of images (a cross-correlation, as in PyTorch).
///
/// `y[n, k, i, j] = bias[k] + Σ c,r,s  x[n, c, i·stride + r - padding, j·stride + s - padding] ·
/// weight[k, c, r, s]`, where pixels outside the image are 0.
///
/// | | shape |
/// | --- | --- |
/// | x | N images × C channels × H × W pixels |
/// | weight | K output channels × C × R × S |
/// | bias | K, or nil |
/// | result | N × K × `(H + 2·padding - R) / stride + 1` × `(W + 2·padding - S) / stride + 1` |
///
/// ```swift
/// let x = Tensor(repeating: 1, shape: [1, 1, 3, 3])
/// let weight = Tensor(repeating: 1, shape: [1, 1, 3, 3])
/// try conv2d(x, weight: weight, padding: 1)
/// // tensor([[[[4., 6., 4.], [6., 9., 6.], [4., 6., 4.]]]])
/// ```
///
/// - Parameters:
///   - x: The images.
///   - weight: The kernels.
///   - bias: What is added to each output channel.
///   - stride: Pixels from one position of the kernel to the next.
///   - padding: Zeros around each image.
/// - Throws: ``ShapeError`` if a shape does not fit or the kernel is larger than the padded image.
/// - Complexity: O(N · K · C · R · S · output pixels)
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0
) throws(ShapeError) -> Tensor {
  let extents = try convolutionExtents(x, weight, bias, stride: stride, padding: padding)
  let backend = try commonBackend("conv2d", [x, weight] + (bias.map { [$0] } ?? []))
  weight.materialize()
  bias?.materialize()
  if DeferredConvolution.front(of: x, for: extents) == nil { x.materialize() }
  return DeferredConvolution(x, weight, bias, extents, on: backend).result
}

private func convolutionExtents(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: Int, padding: Int
) throws(ShapeError) -> ConvolutionExtents {
  guard x.rank == 4 else {
    throw ShapeError(
      "conv2d", expected: "x of shape [images, channels, height, width]", got: "\(x.shape)",
      hint: x.rank == 3
        ? "a single image is a batch of one: [1, channels, height, width]"
        : "a convolution comes before flatten")
  }
  guard weight.rank == 4, weight.shape[1] == x.shape[1] else {
    throw ShapeError(
      "conv2d",
      expected: weight.rank == 4
        ? "\(weight.shape[1]) channels in x (the weight is \(weight.shape))"
        : "a weight of shape [output channels, input channels, height, width]",
      got: weight.rank == 4 ? "\(x.shape[1]): x is \(x.shape)" : "\(weight.shape)",
      hint: "the layer's input channels are the output channels of the layer before it")
  }
  guard bias == nil || bias?.shape == [weight.shape[0]] else {
    throw ShapeError(
      "conv2d",
      expected: "a bias of shape [\(weight.shape[0])], one number for each output channel",
      got: "\(bias?.shape ?? [])")
  }
  guard stride >= 1, padding >= 0 else {
    throw ShapeError(
      "conv2d", expected: "a stride of at least 1 and a padding of at least 0",
      got: "stride \(stride), padding \(padding)")
  }
  let extents = ConvolutionExtents(
    n: x.shape[0], c: x.shape[1], h: x.shape[2], w: x.shape[3],
    k: weight.shape[0], r: weight.shape[2], s: weight.shape[3], stride: stride, padding: padding)
  guard extents.h + 2 * padding >= extents.r, extents.w + 2 * padding >= extents.s else {
    throw ShapeError(
      "conv2d", expected: "images of at least \(extents.r)×\(extents.s) pixels, padding included",
      got: "\(extents.h)×\(extents.w) with padding \(padding)",
      hint: "pad more, or pool and stride less before")
  }
  return extents
}
