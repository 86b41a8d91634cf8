import Kernels

/// The two-dimensional convolution of a batch of images (a cross-correlation, as in PyTorch).
///
/// `y[n, k, i, j] = bias[k] + Σ c,r,s  x[n, c, i·stride + r·dilation - padding, j·stride + s·dilation
/// - padding] · weight[k, c, r, s]`, where pixels outside the image are 0.
///
/// | | shape |
/// | --- | --- |
/// | x | N images × C channels × H × W pixels |
/// | weight | K output channels × C / groups × R × S |
/// | bias | K, or nil |
/// | result | N × K × `(H + 2·padding - dilation·(R - 1) - 1) / stride + 1` × the same for W and S |
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
///   - dilation: Pixels from one element of the kernel to the next.
///   - groups: The number of groups of channels; output channels see the input channels of their own
///     group only.
/// - Throws: ``ShapeError`` if a shape does not fit or the kernel is larger than the padded image.
/// - Complexity: O(N · K · C / groups · R · S · output pixels)
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  dilation: Int = 1, groups: Int = 1
) throws(ShapeError) -> Tensor {
  try conv2d(
    x, weight: weight, bias: bias, stride: (stride, stride), padding: (padding, padding),
    dilation: (dilation, dilation), groups: groups)
}

/// `conv2d` with a number for the height and one for the width.
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: (Int, Int),
  padding: (Int, Int) = (0, 0), dilation: (Int, Int) = (1, 1), groups: Int = 1
) throws(ShapeError) -> Tensor {
  let extents = try convolutionExtents(
    x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
  let backend = try commonBackend("conv2d", [x, weight] + (bias.map { [$0] } ?? []))
  weight.materialize()
  bias?.materialize()
  if DeferredConvolution.front(of: x, for: extents) == nil { x.materialize() }
  return DeferredConvolution(x, weight, bias, extents, on: backend).result
}

/// A pair of numbers as it is written in a call: one number if both are the same.
private func text(_ pair: (Int, Int)) -> String {
  pair.0 == pair.1 ? "\(pair.0)" : "\(pair)"
}

private func convolutionExtents(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: (Int, Int), padding: (Int, Int),
  dilation: (Int, Int), groups: Int
) throws(ShapeError) -> ConvolutionExtents {
  guard x.rank == 4 else {
    throw ShapeError(
      "conv2d", expected: "x of shape [images, channels, height, width]", got: "\(x.shape)",
      hint: x.rank == 3
        ? "a single image is a batch of one: [1, channels, height, width]"
        : "a convolution comes before flatten")
  }
  guard groups >= 1, weight.rank != 4 || weight.shape[0] % groups == 0 else {
    throw ShapeError(
      "conv2d", expected: "groups that divide the \(weight.shape.first ?? 0) output channels",
      got: "\(groups)")
  }
  guard weight.rank == 4, weight.shape[1] * groups == x.shape[1] else {
    let ofGroups = groups == 1 ? "" : " and there are \(groups) groups"
    throw ShapeError(
      "conv2d",
      expected: weight.rank == 4
        ? "\(weight.shape[1] * groups) channels in x (the weight is \(weight.shape)\(ofGroups))"
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
  guard stride.0 >= 1, stride.1 >= 1, padding.0 >= 0, padding.1 >= 0 else {
    throw ShapeError(
      "conv2d", expected: "a stride of at least 1 and a padding of at least 0",
      got: "stride \(text(stride)), padding \(text(padding))")
  }
  guard dilation.0 >= 1, dilation.1 >= 1 else {
    throw ShapeError(
      "conv2d", expected: "a dilation of at least 1", got: "\(text(dilation))")
  }
  guard weight.shape[2] >= 1, weight.shape[3] >= 1 else {
    throw ShapeError(
      "conv2d", expected: "a kernel of at least 1×1 pixels", got: "weight \(weight.shape)")
  }
  let extents = ConvolutionExtents(
    n: x.shape[0], c: x.shape[1], h: x.shape[2], w: x.shape[3],
    k: weight.shape[0], r: weight.shape[2], s: weight.shape[3], stride: (stride.0, stride.1),
    padding: (padding.0, padding.1), dilation: (dilation.0, dilation.1), groups: groups)
  let height = dilation.0 * (extents.r - 1) + 1
  let width = dilation.1 * (extents.s - 1) + 1
  guard extents.h + 2 * padding.0 >= height, extents.w + 2 * padding.1 >= width else {
    throw ShapeError(
      "conv2d", expected: "images of at least \(height)×\(width) pixels, padding included",
      got: "\(extents.h)×\(extents.w) with padding \(text(padding))",
      hint: "pad more, or pool and stride less before")
  }
  return extents
}
