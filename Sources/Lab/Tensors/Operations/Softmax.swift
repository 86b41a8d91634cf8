/// The probabilities `exp(x) / Σ exp(x)` along the last dimension; the result has the shape of x.
///
/// ```swift
/// softmax(Tensor([0, 0, 0, 0]))  // tensor([0.2500, 0.2500, 0.2500, 0.2500])
/// ```
public func softmax(_ x: Tensor) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let y = backend.softmax(x)
  let target = x.gradientTarget
  return y.recorded(from: [x]) { dy in target.receive(backend.softmaxGradient(dy: dy, y: y)) }
}

/// The logarithms of the probabilities, `x - log Σ exp(x)`, along the last dimension; the result has
/// the shape of x.
///
/// ```swift
/// logSoftmax(Tensor([0, 0]))  // tensor([-0.6931, -0.6931])
/// ```
public func logSoftmax(_ x: Tensor) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let y = backend.logSoftmax(x)
  let target = x.gradientTarget
  return y.recorded(from: [x]) { dy in target.receive(backend.logSoftmaxGradient(dy: dy, y: y)) }
}
