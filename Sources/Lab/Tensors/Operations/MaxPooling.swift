/// The largest pixel of each window of an image. Windows that extend beyond the image are left out.
///
/// x is N images × C channels × H × W pixels; the result N × C × `(H - size) / stride + 1` ×
/// `(W - size) / stride + 1`. Among equal pixels the first one gets the gradient.
///
/// - Parameters:
///   - x: The images.
///   - size: The height and width of a window.
///   - stride: Pixels from one window to the next; `size` unless given.
/// - Throws: ``ShapeError`` if x does not have four dimensions or is smaller than a window.
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
  if let fused = (x.storage.deferred as? DeferredConvolution)?.withPooling(
    size: size, stride: stride)
  {
    return fused.noted("maxPool2d", of: x, .fused)
  }
  x.materialize()
  let backend = x.storage.backend
  let (y, saved) = backend.maxPool(x, size: size, stride: stride, saves: x.needsGradient)
  let target = x.gradientTarget
  return y.recorded(from: [x]) { dy in
    target.receive(
      backend.maxPoolGradient(
        dy: dy, shape: target.shape, size: size, stride: stride, saved: saved))
  }
}
