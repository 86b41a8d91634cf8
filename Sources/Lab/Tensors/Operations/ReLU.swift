/// The rectified linear unit `max(x, 0)` of each element; the result has the shape of x.
///
/// ```swift
/// relu(Tensor([-1, 0, 2]))  // tensor([0., 0., 2.])
/// ```
public func relu(_ x: Tensor) -> Tensor {
  activated(x, by: .relu)
}

/// A function of each element.
func activated(_ x: Tensor, by activation: Activation) -> Tensor {
  if let fused = x.storage.deferred?.fused(with: activation) {
    return fused.noted("\(activation)", of: x, .fused)
  }
  x.materialize()
  let backend = x.storage.backend
  let y = backend.activation(activation, x)
  let target = x.gradientTarget
  return y.recorded(from: [x], as: "\(activation)") { dy in
    target.receive(backend.activationGradient(activation, y: y, dy: dy))
  }
}
