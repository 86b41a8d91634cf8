import Foundation

/// `y = exp(x) / Σ exp(x)` along each row of C classes.
public func softmax(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, rows: Int, classes: Int
) {
  parallel(count: rows, grain: 64) { range in
    for row in range {
      let (source, target) = (x + row * classes, y + row * classes)
      let largest = largestElement(source, count: classes)
      var sum: Float = 0
      for index in 0..<classes {
        // Taking the largest away keeps exp from overflowing.
        target[index] = exp(source[index] - largest)
        sum += target[index]
      }
      for index in 0..<classes { target[index] /= sum }
    }
  }
}

/// The gradient of ``softmax(x:y:rows:classes:)`` from its result:
/// `dx = y (dy - Σ dy y)` along each row.
public func softmaxGradient(
  dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
  rows: Int, classes: Int
) {
  parallel(count: rows, grain: 64) { range in
    for row in range {
      let first = row * classes
      var dot: Float = 0
      for index in first..<first + classes { dot += dy[index] * y[index] }
      for index in first..<first + classes { dx[index] = y[index] * (dy[index] - dot) }
    }
  }
}

/// The mean over the rows of `log Σ exp(x) - x[label]`; `probabilities` gets the softmax of x, for
/// the gradient.
public func crossEntropy(
  x: UnsafePointer<Float>, labels: [Int], probabilities: UnsafeMutablePointer<Float>,
  classes: Int
) -> Float {
  softmax(x: x, y: probabilities, rows: labels.count, classes: classes)
  var total = 0.0
  for (row, label) in labels.enumerated() {
    let source = x + row * classes
    let largest = largestElement(source, count: classes)
    var sum: Float = 0
    for index in 0..<classes { sum += exp(source[index] - largest) }
    total += Double(log(sum) + largest - source[label])
  }
  return Float(total / Double(labels.count))
}

/// The gradient of ``crossEntropy(x:labels:probabilities:classes:)``:
/// `dx = scale (probabilities - one-hot label) / rows`.
public func crossEntropyGradient(
  probabilities: UnsafePointer<Float>, labels: [Int], scale: Float,
  dx: UnsafeMutablePointer<Float>, classes: Int
) {
  let factor = scale / Float(labels.count)
  for (row, label) in labels.enumerated() {
    for index in row * classes..<(row + 1) * classes { dx[index] = probabilities[index] * factor }
    dx[row * classes + label] -= factor
  }
}

private func largestElement(_ x: UnsafePointer<Float>, count: Int) -> Float {
  var largest = x[0]
  for index in 1..<count where x[index] > largest { largest = x[index] }
  return largest
}
