/// The sum of all elements, as a single number.
///
/// ```swift
/// sum(Tensor([1, 2, 3])).item  // 6
/// ```
public func sum(_ x: Tensor) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let target = x.gradientTarget
  return backend.sum(x).recorded(from: [x]) { dy in
    target.receive(backend.broadcast(dy, shape: target.shape))
  }
}
