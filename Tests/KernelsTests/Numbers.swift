/// `count` pseudorandom numbers in -1..<1.
func numbers(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
  }
}

/// The norm of the difference divided by the norm of the expected numbers.
func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
  let (difference, length) = zip(found, expected).reduce((0.0, 0.0)) { sums, pair in
    let (a, b) = (Double(pair.0), Double(pair.1))
    return (sums.0 + (a - b) * (a - b), sums.1 + b * b)
  }
  return (difference / max(length, 1e-30)).squareRoot()
}

/// Numbers at a fixed address for the lifetime of the object.
final class NumberBuffer {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int

  init(_ values: [Float]) {
    count = values.count
    pointer = .allocate(capacity: count)
    pointer.initialize(from: values, count: count)
  }

  deinit {
    pointer.deallocate()
  }

  var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
