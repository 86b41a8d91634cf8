import Foundation

/// Losses, which are means over a batch, and their gradients.
///
/// `scale` is the gradient of the loss itself. Sums are taken in double precision in a fixed order,
/// so results do not depend on the number of threads.

/// The mean over the rows of `log Σ exp(x) - x[label]`, or with label smoothing s of
/// `(1 - s) (log Σ exp(x) - x[label]) + s / C Σ c (log Σ exp(x) - x[c])`, as in PyTorch.
///
/// - Parameter probabilities: The softmax of x, for the gradient.
public func crossEntropy(
  x: UnsafePointer<Float>, labels: [Int], probabilities: UnsafeMutablePointer<Float>,
  classes: Int, labelSmoothing: Double = 0
) -> Float {
  softmax(x: x, y: probabilities, rows: labels.count, classes: classes)
  var total = 0.0
  for (row, label) in labels.enumerated() {
    let source = x + row * classes
    let largest = largestElement(source, count: classes)
    var sum: Float = 0
    for index in 0..<classes { sum += exp(source[index] - largest) }
    let loss = Double(log(sum) + largest - source[label])
    guard labelSmoothing != 0 else {
      total += loss
      continue
    }
    let mean = sumOfRun(source, count: classes) / Double(classes)
    let uniform = Double(log(sum)) + Double(largest) - mean
    total += (1 - labelSmoothing) * loss + labelSmoothing * uniform
  }
  return Float(total / Double(labels.count))
}

/// The gradient of ``crossEntropy(x:labels:probabilities:classes:labelSmoothing:)``:
/// `dx = scale (probabilities - (1 - s) one-hot label - s / C) / rows`.
public func crossEntropyGradient(
  probabilities: UnsafePointer<Float>, labels: [Int], scale: Float,
  dx: UnsafeMutablePointer<Float>, classes: Int, labelSmoothing: Double = 0
) {
  let factor = scale / Float(labels.count)
  let (sure, spread) = (Float(1 - labelSmoothing), Float(labelSmoothing / Double(classes)))
  for (row, label) in labels.enumerated() {
    for index in row * classes..<(row + 1) * classes { dx[index] = probabilities[index] * factor }
    if spread != 0 {
      for index in row * classes..<(row + 1) * classes { dx[index] -= spread * factor }
    }
    dx[row * classes + label] -= sure * factor
  }
}

/// The negative log-likelihood `-mean(x[label])` of rows of log probabilities.
public func nllLoss(x: UnsafePointer<Float>, labels: [Int], classes: Int) -> Float {
  let total = labels.enumerated().reduce(0.0) { $0 + Double(x[$1.offset * classes + $1.element]) }
  return Float(-total / Double(labels.count))
}

/// The gradient of ``nllLoss(x:labels:classes:)``.
public func nllLossGradient(
  labels: [Int], scale: Float, dx: UnsafeMutablePointer<Float>, classes: Int
) {
  dx.update(repeating: 0, count: labels.count * classes)
  let share = scale / Float(labels.count)
  for (row, label) in labels.enumerated() { dx[row * classes + label] = -share }
}

/// The mean squared error `mean((x - target)²)`.
public func mseLoss(x: UnsafePointer<Float>, target: UnsafePointer<Float>, count: Int) -> Float {
  let total = sumInParts(count: count) { index in
    let difference = Double(x[index]) - Double(target[index])
    return difference * difference
  }
  return Float(total / Double(count))
}

/// The gradient of ``mseLoss(x:target:count:)`` by x; that by the target has the other sign.
public func mseLossGradient(
  x: UnsafePointer<Float>, target: UnsafePointer<Float>, scale: Float,
  dx: UnsafeMutablePointer<Float>, count: Int
) {
  let factor = 2 * scale / Float(count)
  parallel(count: count, grain: 1 << 17) { range in
    for index in range { dx[index] = factor * (x[index] - target[index]) }
  }
}

/// The binary cross-entropy of logits, `mean(max(x, 0) - x target + log(1 + exp(-|x|)))`, which
/// neither overflows nor loses digits for large logits.
public func binaryCrossEntropyWithLogits(
  x: UnsafePointer<Float>, target: UnsafePointer<Float>, count: Int
) -> Float {
  let total = sumInParts(count: count) { index in
    let value = Double(x[index])
    // Written so that NaN stays NaN.
    let positive = value < 0 ? 0 : value
    return positive - value * Double(target[index]) + log1p(exp(-abs(value)))
  }
  return Float(total / Double(count))
}

/// The gradient of ``binaryCrossEntropyWithLogits(x:target:count:)``: `(sigmoid(x) - target) / count`
/// by x and `-x / count` by the target; nil to skip one.
public func binaryCrossEntropyWithLogitsGradients(
  x: UnsafePointer<Float>, target: UnsafePointer<Float>, scale: Float,
  dx: UnsafeMutablePointer<Float>?, dTarget: UnsafeMutablePointer<Float>?, count: Int
) {
  let share = scale / Float(count)
  parallel(count: count, grain: 1 << 13) { range in
    for index in range {
      dx?[index] = share * (1 / (1 + exp(-x[index])) - target[index])
      dTarget?[index] = -share * x[index]
    }
  }
}

/// The multi-class margin loss `1/N Σ 1/C Σ c≠label max(0, 1 - x[label] + x[c])`. A NaN score gives a
/// NaN loss.
public func multiMarginLoss(x: UnsafePointer<Float>, labels: [Int], classes: Int) -> Float {
  var total = 0.0
  for (row, label) in labels.enumerated() {
    let scores = x + row * classes
    for c in 0..<classes where c != label {
      let margin = 1 - scores[label] + scores[c]
      total += margin < 0 ? 0 : Double(margin)
    }
  }
  return Float(total / Double(labels.count * classes))
}

/// The gradient of ``multiMarginLoss(x:labels:classes:)``.
public func multiMarginLossGradient(
  x: UnsafePointer<Float>, labels: [Int], scale: Float, dx: UnsafeMutablePointer<Float>,
  classes: Int
) {
  let share = scale / Float(labels.count * classes)
  dx.update(repeating: 0, count: labels.count * classes)
  for (row, label) in labels.enumerated() {
    let (scores, changes) = (x + row * classes, dx + row * classes)
    for c in 0..<classes where c != label && 1 - scores[label] + scores[c] > 0 {
      changes[c] += share
      changes[label] -= share
    }
  }
}
