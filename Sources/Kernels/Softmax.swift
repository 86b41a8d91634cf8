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
        // Subtracting the largest keeps exp from overflowing.
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

/// `y = x - log Σ exp(x)` along each row of C classes.
public func logSoftmax(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, rows: Int, classes: Int
) {
  let loops = KernelSet.current.loops
  parallel(count: rows, grain: 64) { range in
    for row in range {
      let (source, target) = (x + row * classes, y + row * classes)
      let (largest, sum) = loops.sumExponentials(source, count: classes)
      let offset = log(sum)
      for index in 0..<classes { target[index] = source[index] - largest - offset }
    }
  }
}

/// The gradient of ``logSoftmax(x:y:rows:classes:)`` from its result: `dx = dy - exp(y) Σ dy` along
/// each row.
public func logSoftmaxGradient(
  dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
  rows: Int, classes: Int
) {
  let loops = KernelSet.current.loops
  parallel(count: rows, grain: 64) { range in
    for row in range {
      let first = row * classes
      loops.logSoftmaxGradient(dy + first, y: y + first, into: dx + first, count: classes)
    }
  }
}

func largestElement(_ x: UnsafePointer<Float>, count: Int) -> Float {
  var largest = x[0]
  for index in 1..<count where x[index] > largest { largest = x[index] }
  return largest
}
