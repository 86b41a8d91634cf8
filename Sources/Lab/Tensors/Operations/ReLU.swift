import Kernels

/// The rectifier `max(x, 0)` of each element; the result has the shape of x.
///
/// ```swift
/// relu(Tensor([-1, 0, 2]))  // tensor([0., 0., 2.])
/// ```
public func relu(_ x: Tensor) -> Tensor {
  if let fused = (x.storage.recipe as? any Rectifiable)?.rectified() { return fused }
  let layout = x.layout
  let y = Tensor(uninitialized: x.shape, layout: layout)
  relu(x: x.pointer(layout), y: y.pointer(layout), count: x.count)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape, layout: layout)
    reluGradient(
      dy: dy.pointer(layout), y: y.pointer(layout), dx: dx.pointer(layout), count: x.count)
    x.receive(dx)
  }
}

/// A computation that a rectifier behind it can be computed along with.
protocol Rectifiable: Recipe {
  /// The rectified result, in place of this one; nil if the two cannot be computed together.
  func rectified() -> Tensor?
}
