import Kernels

/// The rectifier `max(x, 0)` of each element; the result has the shape of x.
///
/// ```swift
/// relu(Tensor([-1, 0, 2]))  // tensor([0., 0., 2.])
/// ```
public func relu(_ x: Tensor) -> Tensor {
  let y = Tensor(uninitialized: x.shape)
  relu(x: x.pointer, y: y.pointer, count: x.count)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape)
    reluGradient(dy: dy.pointer, y: y.pointer, dx: dx.pointer, count: x.count)
    x.receive(dx)
  }
}
