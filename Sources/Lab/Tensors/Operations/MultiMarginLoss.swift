/// The mean over a batch of how far wrong classes come within 1 of the right one's score:
/// `1/N Σ 1/C Σ c≠label max(0, 1 - x[label] + x[c])`, PyTorch's `multi_margin_loss`; but a score that
/// is not a number makes the loss none, where PyTorch's takes it for 0, so that training that has
/// diverged is noticed.
///
/// - Parameters:
///   - x: Scores, N images × C classes.
///   - labels: The right classes, N integers in `0..<C`.
/// - Throws: ``ShapeError`` if the shapes do not fit or a label is out of range.
///
/// Source: Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
/// Machines", JMLR 2 (2001).
public func multiMarginLoss(_ x: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
  try checkScores("multiMarginLoss", x, labels)
  let (rows, classes) = (x.shape[0], x.shape[1])
  var total = 0.0
  for (row, label) in labels.elements.enumerated() {
    let scores = x.pointer + row * classes
    for c in 0..<classes where c != label {
      let margin = 1 - scores[label] + scores[c]
      total += margin < 0 ? 0 : Double(margin)
    }
  }
  let loss = Tensor([Float(total / Double(rows * classes))], shape: [])
  return loss.recorded(from: [x]) { gradient in
    let share = gradient.item / Float(rows * classes)
    let dx = Tensor(repeating: 0, shape: x.shape)
    for (row, label) in labels.elements.enumerated() {
      let (scores, changes) = (x.pointer + row * classes, dx.pointer + row * classes)
      for c in 0..<classes where c != label && 1 - scores[label] + scores[c] > 0 {
        changes[c] += share
        changes[label] -= share
      }
    }
    x.receive(dx)
  }
}
