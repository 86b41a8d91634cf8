import Kernels

/// The largest pixel of each window of an image; windows that stick out of it are left out.
///
/// x is N images × C channels × H × W pixels; the result N × C × `(H - size) / stride + 1` ×
/// `(W - size) / stride + 1`. Where pixels are equal the first one gets the gradient.
///
/// - Parameters:
///   - x: The images.
///   - size: The height and width of a window.
///   - stride: Pixels from one window to the next; `size` unless given.
/// - Throws: ``ShapeError`` if x has not four dimensions or is smaller than a window.
/// - Complexity: O(elements of the result · size²)
public func maxPool2d(
  _ x: Tensor, size: Int, stride: Int? = nil
) throws(ShapeError) -> Tensor {
  let stride = stride ?? size
  guard x.rank == 4 else {
    throw ShapeError(
      "maxPool2d", expected: "x of shape [images, channels, height, width]", got: "\(x.shape)",
      hint: "pooling comes before flatten")
  }
  guard size >= 1, stride >= 1 else {
    throw ShapeError(
      "maxPool2d", expected: "a size and a stride of at least 1",
      got: "size \(size), stride \(stride)")
  }
  guard x.shape[2] >= size, x.shape[3] >= size else {
    throw ShapeError(
      "maxPool2d", expected: "images of at least \(size)×\(size) pixels",
      got: "\(x.shape[2])×\(x.shape[3])", hint: "pool and stride less before")
  }
  if let fused = x.pendingConvolution?.withPooling(size: size, stride: stride) {
    return fused.result()
  }
  return x.layout == .channelsLast && size <= 15
    ? maxPoolChannelsLast(x, size: size, stride: stride)
    : maxPoolRowMajor(x, size: size, stride: stride)
}

private func maxPoolRowMajor(_ x: Tensor, size: Int, stride: Int) -> Tensor {
  let extents = PoolingExtents(
    planes: x.shape[0] * x.shape[1], h: x.shape[2], w: x.shape[3], size: size, stride: stride)
  let y = Tensor(uninitialized: [x.shape[0], x.shape[1], extents.outputH, extents.outputW])
  let places = Numbers<Int32>(count: y.count)
  maxPooling(x: x.pointer, y: y.pointer, places: places.pointer, extents)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape)
    maxPoolingGradient(dy: dy.pointer, places: places.pointer, dx: dx.pointer, extents)
    x.receive(dx)
  }
}

private func maxPoolChannelsLast(_ x: Tensor, size: Int, stride: Int) -> Tensor {
  let (images, channels) = (x.shape[0], x.shape[1])
  let extents = PoolingExtents(
    planes: images, h: x.shape[2], w: x.shape[3], size: size, stride: stride)
  let y = Tensor(
    uninitialized: [images, channels, extents.outputH, extents.outputW], layout: .channelsLast)
  let codes = Numbers<UInt8>(count: y.count)
  maxPoolingChannelsLast(
    x: x.pointer(.channelsLast), y: y.pointer(.channelsLast), codes: codes.pointer,
    channels: channels, extents)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape, layout: .channelsLast)
    maxPoolingGradientChannelsLast(
      dy: dy.pointer(.channelsLast), codes: codes.pointer, dx: dx.pointer(.channelsLast),
      channels: channels, extents)
    x.receive(dx)
  }
}
