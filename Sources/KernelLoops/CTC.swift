// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

/// The recursions of the CTC loss over the states of one item. Logarithms of probabilities are sums
/// over many steps, so they are kept in double precision; what is added in a step needs no more than
/// single precision.

extension Doubles {
  @inline(__always)
  init(at pointer: UnsafePointer<Double>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Doubles.self)
  }

  @inline(__always)
  func store(at pointer: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Doubles.self)
  }
}

extension Loops {
  public static func advanceStates(
    _ before: UnsafePointer<Double>, neighbor: Int, skips: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>, into after: UnsafeMutablePointer<Double>, count: Int
  ) {
    for state in stride(from: 0, to: count, by: lanes) {
      let same = Doubles(at: before + state)
      let next = Doubles(at: before + state + neighbor)
      let skipped =
        Doubles(at: before + state + 2 * neighbor) + Doubles(Vector(at: skips + state))
      // The largest of the three, and the exponentials of the others relative to it.
      let larger = same.larger(next)
      let largest = larger.larger(skipped)
      let others =
        (same.smaller(next) - largest).narrowed.exponential
        + (larger.smaller(skipped) - largest).narrowed.exponential
      let step = Doubles(others.logarithmOfOnePlus) + Doubles(Vector(at: x + state))
      (largest + step).store(at: after + state)
    }
  }

  public static func stateProbabilities(
    _ alpha: UnsafePointer<Double>, _ beta: UnsafePointer<Double>, _ x: UnsafePointer<Float>,
    total: Double, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    let total = Doubles(repeating: total)
    for state in stride(from: 0, to: count, by: lanes) {
      let both = Doubles(at: alpha + state) + Doubles(at: beta + state)
      // Both contain this step's logarithm.
      (both - Doubles(Vector(at: x + state)) - total).narrowed.exponential.store(at: y + state)
    }
  }
}
