/// The index of the largest element along the last dimension, the first one among equals: the
/// predicted class of each row of logits. As in PyTorch, a NaN counts as the largest.
///
/// ```swift
/// argmax(Tensor([1, 3, 2, 9, 0, 9], shape: [2, 3]))  // tensor([1, 0])
/// ```
public func argmax(_ x: Tensor) -> IntTensor {
  x.materialize()
  return IntTensor(x.storage.backend.argmax(x), shape: Array(x.shape.dropLast()))
}

/// The number of rows whose largest element is that of the label, as a single number.
///
/// Unlike a comparison with ``argmax(_:)``, this does not wait for the device: it is a metric that a
/// training step can record.
///
/// ```swift
/// countCorrect(Tensor([1, 3, 2, 9, 0, 9], shape: [2, 3]), IntTensor([1, 2])).item  // 1
/// ```
public func countCorrect(_ logits: Tensor, _ labels: IntTensor) -> Tensor {
  logits.materialize()
  return logits.storage.backend.countCorrect(logits, labels: labels.elements)
}
