import Kernels

/// The rectifier `max(x, 0)` of each element; the result has the shape of x.
///
/// ```swift
/// relu(Tensor([-1, 0, 2]))  // tensor([0., 0., 2.])
/// ```
public func relu(_ x: Tensor) -> Tensor {
  if let fused = x.pendingConvolution?.withReLU() { return fused.result() }
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
