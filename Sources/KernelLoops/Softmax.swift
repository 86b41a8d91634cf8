// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

/// Sums over a row of classes.

extension Loops {
  public static func sumExponentials(
    _ x: UnsafePointer<Float>, count: Int
  ) -> (largest: Float, sum: Float) {
    let whole = count / lanes * lanes
    var largest = x[0]
    if whole > 0 {
      var vector = Vector(at: x)
      for index in stride(from: lanes, to: whole, by: lanes) {
        let next = Vector(at: x + index)
        vector = next.isGreater(vector).choose(next, vector)
      }
      for lane in 0..<lanes where vector[lane] > largest { largest = vector[lane] }
    }
    for index in whole..<count where x[index] > largest { largest = x[index] }
    let shift = Vector(repeating: largest)
    var sums = Vector.zero
    for index in stride(from: 0, to: whole, by: lanes) {
      sums += (Vector(at: x + index) - shift).exponential
    }
    var sum = sums.sum()
    if whole < count {
      let rest = (Vector(at: x + whole, count - whole) - shift).exponential
      for lane in 0..<count - whole { sum += rest[lane] }
    }
    return (largest, sum)
  }

  public static func logSoftmaxGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    let whole = count / lanes * lanes
    var sums = Vector.zero
    for index in stride(from: 0, to: whole, by: lanes) { sums += Vector(at: dy + index) }
    var sum = sums.sum()
    for index in whole..<count { sum += dy[index] }
    let factor = Vector(repeating: -sum)
    for index in stride(from: 0, to: whole, by: lanes) {
      Vector(at: y + index).exponential.times(factor, plus: Vector(at: dy + index))
        .store(at: dx + index)
    }
    if whole < count {
      let width = count - whole
      Vector(at: y + whole, width).exponential.times(factor, plus: Vector(at: dy + whole, width))
        .store(at: dx + whole, width)
    }
  }
}
