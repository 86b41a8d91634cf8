import Kernels

/// The probabilities `exp(x) / Σ exp(x)` along the last dimension; the result has the shape of x.
///
/// ```swift
/// softmax(Tensor([0, 0, 0, 0]))  // tensor([0.2500, 0.2500, 0.2500, 0.2500])
/// ```
public func softmax(_ x: Tensor) -> Tensor {
  let y = Tensor(uninitialized: x.shape)
  guard x.count > 0 else { return y }
  let classes = x.shape.last ?? 1
  softmax(x: x.pointer, y: y.pointer, rows: x.count / classes, classes: classes)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape)
    softmaxGradient(
      dy: dy.pointer, y: y.pointer, dx: dx.pointer, rows: x.count / classes, classes: classes)
    x.receive(dx)
  }
}
