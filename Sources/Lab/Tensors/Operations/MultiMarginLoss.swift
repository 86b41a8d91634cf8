/// The mean over a batch of the margins by which wrong classes come within 1 of the true one's score:
/// `1/N Σ 1/C Σ c≠label max(0, 1 - x[label] + x[c])`, PyTorch's `multi_margin_loss`.
///
/// A NaN score gives a NaN loss, so that diverged training is noticed; PyTorch's loss is 0 then.
///
/// - Parameters:
///   - x: Scores, N images × C classes.
///   - labels: The true classes, N integers in `0..<C`.
/// - Throws: ``ShapeError`` if the shapes do not fit or a label is out of range.
///
/// Source: Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
/// Machines", JMLR 2 (2001).
public func multiMarginLoss(_ x: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
  try checkScores("multiMarginLoss", x, labels)
  x.materialize()
  let backend = x.storage.backend
  return backend.multiMarginLoss(x, labels: labels.elements).recorded(from: [x]) { dy in
    x.receive(backend.multiMarginLossGradient(dy: dy, x.detached, labels: labels.elements))
  }
}
