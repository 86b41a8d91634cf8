/// What one call of a loop has written.
struct Result {
  let loop: String
  let values: [Double]
  /// The largest error that is allowed; 0 for equal numbers.
  let tolerance: Double
  /// Errors are divided by the expected number, or by this if that is smaller.
  let scale: Double?
  /// Whether the loop wrote nothing beyond its memory.
  let isIntact: Bool
}

/// The results of all calls, in their order, which is the same for the fast and the plain loops.
struct Record {
  private(set) var results: [Result] = []

  /// - Parameters:
  ///   - memory: All that the loop may have written, with what it must not change in between.
  ///   - scale: The least number that errors are divided by; nil for the root mean square of the
  ///     expected numbers.
  mutating func add<Element>(
    _ loop: String, _ memory: Memory<Element>, within tolerance: Double, scale: Double? = nil
  ) {
    results.append(
      Result(
        loop: loop, values: memory.values, tolerance: tolerance, scale: scale,
        isIntact: memory.isIntact))
  }

  /// Adds only that nothing was written beyond memory whose numbers are the loop's own business.
  mutating func addIntact<Element>(_ loop: String, _ memory: Memory<Element>) {
    results.append(
      Result(loop: loop, values: [], tolerance: 0, scale: nil, isIntact: memory.isIntact))
  }

  mutating func add(_ loop: String, _ values: [Float], within tolerance: Double) {
    results.append(
      Result(
        loop: loop, values: values.map { Double($0) }, tolerance: tolerance, scale: nil,
        isIntact: true))
  }
}

/// The largest error of a result, and the element that has it.
func largestError(_ found: Result, _ expected: Result) -> (error: Double, element: Int) {
  let finite = expected.values.filter { $0.isFinite }
  let squares = finite.reduce(0) { $0 + $1 * $1 }
  let scale = expected.scale ?? (squares / Double(max(1, finite.count))).squareRoot()
  var (largest, element) = (0.0, 0)
  for (index, number) in expected.values.enumerated() {
    let other = found.values[index]
    if other == number || (other.isNaN && number.isNaN) { continue }
    let quotient = abs(other - number) / max(abs(number), scale)
    // NaN or infinity where a number is expected, or the other way round.
    let error = quotient.isFinite ? quotient : .infinity
    if error > largest { (largest, element) = (error, index) }
  }
  return (largest, element)
}
