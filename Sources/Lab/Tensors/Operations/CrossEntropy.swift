/// The mean over a batch of the negative log probability of the true class:
/// `-1/N Σ log softmax(logits)[label]`.
///
/// | | shape |
/// | --- | --- |
/// | logits | N × classes, or N × classes × steps … |
/// | labels | N, or N × steps …, integers in `0..<classes` |
/// | result | a single number, in nats: the mean over all labels |
///
/// With label smoothing s, the target is a distribution: `1 - s + s / classes` for the true class and
/// `s / classes` for each other one.
///
/// - Parameters:
///   - logits: Scores, before softmax.
///   - labels: The true classes.
///   - labelSmoothing: The share of the target that is spread over all classes, in 0…1.
/// - Throws: ``ShapeError`` if the shapes do not fit, or a label or the label smoothing is out of
///   range.
///
/// Source of label smoothing: Szegedy et al., "Rethinking the Inception Architecture for Computer
/// Vision", CVPR 2016.
public func crossEntropy(
  _ logits: Tensor, _ labels: IntTensor, labelSmoothing: Double = 0
) throws(ShapeError) -> Tensor {
  if labels.shape.count > 1 {
    let steps = Array(labels.shape.dropFirst())
    guard logits.rank > 2, [logits.shape[0]] + logits.shape.dropFirst(2) == labels.shape else {
      let expected = ["\(labels.shape[0])", "classes"] + steps.map(String.init)
      throw ShapeError(
        "crossEntropy",
        expected: "logits of shape [\(expected.joined(separator: ", "))] for labels of shape "
          + "\(labels.shape)",
        got: "\(logits.shape)")
    }
    let classes = logits.shape[1]
    let rows = try permute(logits, order: [0] + Array(2..<logits.rank) + [1])
    return try crossEntropy(
      reshape(rows, to: [labels.count, classes]), IntTensor(labels.elements),
      labelSmoothing: labelSmoothing)
  }
  try checkScores("crossEntropy", logits, labels)
  guard (0...1).contains(labelSmoothing) else {
    throw ShapeError(
      "crossEntropy", expected: "label smoothing in 0...1", got: "\(labelSmoothing)")
  }
  logits.materialize()
  let backend = logits.storage.backend
  let (loss, saved) = backend.crossEntropy(
    logits, labels: labels.elements, labelSmoothing: labelSmoothing)
  let target = logits.gradientTarget
  return loss.recorded(from: [logits]) { dy in
    target.receive(
      backend.crossEntropyGradient(
        dy: dy, saved: saved, labels: labels.elements, labelSmoothing: labelSmoothing))
  }
}

/// The negative log-likelihood `-1/N Σ x[label]` of log probabilities, such as those of
/// ``logSoftmax(_:)``.
///
/// - Parameters:
///   - x: Log probabilities, N × classes.
///   - labels: The true classes, N integers in `0..<classes`.
/// - Throws: ``ShapeError`` if the shapes do not fit or a label is out of range.
public func nllLoss(_ x: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
  try checkScores("nllLoss", x, labels)
  x.materialize()
  let backend = x.storage.backend
  let target = x.gradientTarget
  return backend.nllLoss(x, labels: labels.elements).recorded(from: [x]) { dy in
    target.receive(
      backend.nllLossGradient(dy: dy, shape: target.shape, labels: labels.elements))
  }
}

/// The mean squared error `mean((x - target)²)`, as a single number.
///
/// ```swift
/// try mseLoss(Tensor([1, 2]), Tensor([1, 4])).item  // 2
/// ```
///
/// - Throws: ``ShapeError`` if the shapes differ or there are no elements.
public func mseLoss(_ x: Tensor, _ target: Tensor) throws(ShapeError) -> Tensor {
  try checkTarget("mseLoss", x, target)
  let backend = try prepare("mseLoss", x, target)
  let (prediction, wanted) = (x.detached, target.detached)
  let targets = (x.gradientTarget, target.gradientTarget)
  return backend.mseLoss(x, target: target).recorded(from: [x, target]) { dy in
    let dx = backend.mseLossGradient(dy: dy, prediction, target: wanted)
    targets.0.receive(dx)
    if targets.1.needsGradient { targets.1.receive(backend.unary(.negate, dx)) }
  }
}

/// The binary cross-entropy between targets and the sigmoid of logits, as a single number:
/// `-mean(target · log σ(x) + (1 - target) · log(1 - σ(x)))`.
///
/// Computed as `mean(max(x, 0) - x · target + log(1 + exp(-|x|)))`, so that large logits neither
/// overflow nor lose digits.
///
/// - Parameters:
///   - x: Logits of any shape.
///   - target: Probabilities of the same shape, in 0…1.
/// - Throws: ``ShapeError`` if the shapes differ or there are no elements.
public func binaryCrossEntropyWithLogits(
  _ x: Tensor, _ target: Tensor
) throws(ShapeError) -> Tensor {
  try checkTarget("binaryCrossEntropyWithLogits", x, target)
  let backend = try prepare("binaryCrossEntropyWithLogits", x, target)
  let (logits, wanted) = (x.detached, target.detached)
  let targets = (x.gradientTarget, target.gradientTarget)
  let loss = backend.binaryCrossEntropyWithLogits(x, target: target)
  return loss.recorded(from: [x, target]) { dy in
    let (dx, dTarget) = backend.binaryCrossEntropyWithLogitsGradients(
      dy: dy, logits, target: wanted)
    targets.0.receive(dx)
    targets.1.receive(dTarget)
  }
}

private func checkTarget(
  _ operation: String, _ x: Tensor, _ target: Tensor
) throws(ShapeError) {
  guard x.shape == target.shape, x.count > 0 else {
    throw ShapeError(
      operation,
      expected: x.count > 0 ? "a target of the shape of x, \(x.shape)" : "at least one element",
      got: x.count > 0 ? "\(target.shape)" : "x \(x.shape)",
      hint: x.count > 0 && x.count == target.count ? "reshape one of the two" : nil)
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
        ? "the model must return one row of scores per image: flatten, then Linear"
        : nil)
  }
  let classes = logits.shape[1]
  if let wrong = labels.elements.first(where: { !(0..<classes).contains($0) }) {
    throw ShapeError(
      operation, expected: "labels in 0..<\(classes), the classes of the logits",
      got: "\(wrong)", hint: "the last layer's size is the number of classes")
  }
}
