/// How the losses of a batch's items become one number.
public enum LossReduction: Sendable, CaseIterable {
  /// The mean over the items.
  case mean
  /// The sum of the items.
  case sum
  /// They do not: the result has an element for each item.
  case none
}

/// The loss of connectionist temporal classification: the negative log probability that a sequence of
/// classes, one at each step, reads as given labels once repeated classes are merged and blanks
/// dropped.
///
/// `loss[n] = -log Σ Π t  exp(logProbabilities[t, n, path[t]])`, a sum over all paths that read as the
/// labels of n. Between two equal labels a path has a blank.
///
/// | | shape |
/// | --- | --- |
/// | logProbabilities | T steps × N items × C classes |
/// | targets | N × S labels in `0..<C` without the blank; those beyond an item's length are ignored |
/// | inputLengths, targetLengths | N numbers in 0…T and in 0…S |
/// | result | a single number, or N for `.none` |
///
/// ```swift
/// // Two steps, the classes blank and "a", all equally likely: "aa", "a-" and "-a" read as "a".
/// let x = logSoftmax(Tensor(repeating: 0, shape: [2, 1, 2]))
/// try ctcLoss(x, IntTensor([1], shape: [1, 1]), inputLengths: [2], targetLengths: [1])
/// // 0.2877, which is -log(3 / 4)
/// ```
///
/// For `.mean`, each item's loss is divided by the number of its labels before the mean is taken, as
/// in PyTorch. An item with too few steps for its labels has the loss infinity, and the gradient NaN
/// by its steps.
///
/// - Parameters:
///   - logProbabilities: Logarithms of probabilities, such as ``logSoftmax(_:)`` gives.
///   - targets: The labels.
///   - inputLengths: The number of steps of each item; the steps after them are ignored.
///   - targetLengths: The number of labels of each item.
///   - blank: The class that stands for no label.
///   - zeroInfinity: Whether a loss of infinity counts as 0, with gradient 0.
///   - reduction: How the losses become one number.
/// - Throws: ``ShapeError`` if a shape does not fit, or a length or a label is out of range.
/// - Complexity: O(T · N · (S + C))
///
/// Source: Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
/// with Recurrent Neural Networks", ICML 2006.
public func ctcLoss(
  _ logProbabilities: Tensor, _ targets: IntTensor, inputLengths: [Int], targetLengths: [Int],
  blank: Int = 0, zeroInfinity: Bool = false, reduction: LossReduction = .mean
) throws(ShapeError) -> Tensor {
  let x = logProbabilities
  try checkSequences(x, targets, inputLengths, targetLengths)
  try checkLabels(targets, targetLengths, classes: x.shape[2], blank: blank)
  x.materialize()
  let batch = CTCBatch(
    steps: x.shape[0], classes: x.shape[2], blank: blank, targets: targets.elements,
    labels: targets.shape[1], inputLengths: inputLengths, targetLengths: targetLengths,
    zeroInfinity: zeroInfinity)
  let backend = x.storage.backend
  let (target, items) = (x.gradientTarget, x.shape[1])
  let (values, gradients) = backend.ctcLoss(x, batch, wantsGradient: target.needsGradient)
  let losses = values.recorded(from: [x]) { dy in
    guard let gradients else { return }
    target.receive(
      backend.binary(.multiply, gradients, dy.viewed(as: [items, 1]), shape: target.shape))
  }
  switch reduction {
  case .none: return losses
  case .sum: return sum(losses)
  case .mean:
    let shares = targetLengths.map { 1 / Float(Swift.max($0, 1)) }
    return mean(try losses * Tensor(shares).to(x.device))
  }
}

private func checkSequences(
  _ x: Tensor, _ targets: IntTensor, _ inputLengths: [Int], _ targetLengths: [Int]
) throws(ShapeError) {
  guard x.rank == 3, x.shape[1] > 0, x.shape[2] > 0 else {
    throw ShapeError(
      "ctcLoss", expected: "log probabilities of shape [steps, items, classes]", got: "\(x.shape)",
      hint: x.rank == 2 ? "a single sequence is a batch of one: [steps, 1, classes]" : nil)
  }
  let items = x.shape[1]
  guard targets.shape.count == 2, targets.shape[0] == items else {
    throw ShapeError(
      "ctcLoss",
      expected: "targets of shape [\(items), labels] for log probabilities of shape \(x.shape)",
      got: "\(targets.shape)",
      hint: targets.shape.first == items
        ? nil : "the log probabilities have the steps first: permute(x, order: [1, 0, 2])")
  }
  for (name, lengths, most, what) in [
    ("inputLengths", inputLengths, x.shape[0], "steps of the log probabilities"),
    ("targetLengths", targetLengths, targets.shape[1], "labels of the targets"),
  ] {
    guard lengths.count == items else {
      throw ShapeError(
        "ctcLoss", expected: "\(items) \(name), one for each item", got: "\(lengths.count)")
    }
    if let wrong = lengths.first(where: { !(0...most).contains($0) }) {
      throw ShapeError(
        "ctcLoss", expected: "\(name) in 0...\(most), the \(what)", got: "\(wrong)")
    }
  }
}

private func checkLabels(
  _ targets: IntTensor, _ lengths: [Int], classes: Int, blank: Int
) throws(ShapeError) {
  guard (0..<classes).contains(blank) else {
    throw ShapeError(
      "ctcLoss", expected: "a blank in 0..<\(classes), the classes of the log probabilities",
      got: "\(blank)")
  }
  for (item, length) in lengths.enumerated() {
    let first = item * targets.shape[1]
    for label in targets.elements[first..<first + length]
    where !(0..<classes).contains(label) || label == blank {
      throw ShapeError(
        "ctcLoss",
        expected: "labels in 0..<\(classes), the classes of the log probabilities, other than the"
          + " blank \(blank)", got: "\(label) in item \(item)",
        hint: label == blank
          ? "the blank stands for no label: leave it out of the targets"
          : "the last layer's size is the number of classes, with the blank")
    }
  }
}
