/// The mean over a batch of the negative log probability of the true class:
/// `-1/N Σ log softmax(logits)[label]`.
///
/// | | shape |
/// | --- | --- |
/// | logits | N × classes |
/// | labels | N integers in `0..<classes` |
/// | result | a single number, in nats |
///
/// - Parameters:
///   - logits: Scores, before softmax.
///   - labels: The true classes.
/// - Throws: ``ShapeError`` if the shapes do not fit or a label is out of range.
public func crossEntropy(_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
  try checkScores("crossEntropy", logits, labels)
  logits.materialize()
  let backend = logits.storage.backend
  let (loss, probabilities) = backend.crossEntropy(logits, labels: labels.elements)
  let target = logits.gradientTarget
  return loss.recorded(from: [logits]) { dy in
    target.receive(
      backend.crossEntropyGradient(
        dy: dy, probabilities: probabilities, labels: labels.elements))
  }
}

/// Checks that there is a row of scores for each label, and a score for each class.
func checkScores(
  _ operation: String, _ logits: Tensor, _ labels: IntTensor
) throws(ShapeError) {
  guard logits.rank == 2, labels.shape == [logits.shape[0]], labels.count > 0 else {
    throw ShapeError(
      operation,
      expected: "logits of shape [\(labels.count), classes] for labels of shape \(labels.shape)",
      got: "\(logits.shape)",
      hint: logits.rank > 2
        ? "the model's last layers are to give one row of scores an image: flatten, then Linear"
        : nil)
  }
  let classes = logits.shape[1]
  if let wrong = labels.elements.first(where: { !(0..<classes).contains($0) }) {
    throw ShapeError(
      operation, expected: "labels in 0..<\(classes), the classes of the logits",
      got: "\(wrong)", hint: "the last layer's size is the number of classes")
  }
}
