/// The extents of an elementwise operation whose second operand is repeated along dimensions in
/// which it has extent 1.
public struct BroadcastExtents: Sendable, Equatable {
  /// The extents of the result.
  public let shape: [Int]
  /// The strides of the operands along the result's dimensions; 0 where an operand is repeated.
  public let aStrides, bStrides: [Int]

  public init(shape: [Int], aStrides: [Int], bStrides: [Int]) {
    (self.shape, self.aStrides, self.bStrides) = (shape, aStrides, bStrides)
  }

  /// Calls `row` for each run along the last dimension, in order, with where it starts in the
  /// result and in each operand.
  @inline(__always)
  func forEachRow(_ row: (_ y: Int, _ a: Int, _ b: Int) -> Void) {
    let outer = shape.dropLast()
    guard !shape.contains(0) else { return }
    var index = [Int](repeating: 0, count: outer.count)
    var (a, b) = (0, 0)
    for y in 0..<outer.reduce(1, *) {
      row(y * (shape.last ?? 1), a, b)
      for dimension in outer.indices.reversed() {
        index[dimension] += 1
        a += aStrides[dimension]
        b += bStrides[dimension]
        if index[dimension] < shape[dimension] { break }
        a -= aStrides[dimension] * shape[dimension]
        b -= bStrides[dimension] * shape[dimension]
        index[dimension] = 0
      }
    }
  }
}

/// `y = a + b` with both operands repeated as the extents say.
public func addBroadcast(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
  _ e: BroadcastExtents
) {
  let (aStep, bStep) = (e.aStrides.last ?? 0, e.bStrides.last ?? 0)
  e.forEachRow { row, a0, b0 in
    for column in 0..<(e.shape.last ?? 1) {
      y[row + column] = a[a0 + column * aStep] + b[b0 + column * bStep]
    }
  }
}

/// The gradient of an operand of ``addBroadcast(_:_:y:_:)``: each of its elements gets the sum over
/// the places of the result that it was repeated to.
///
/// - Parameters:
///   - shape: The extents of the result.
///   - strides: Those of the operand along the result's dimensions; 0 where it was repeated.
public func sumRepeated(
  _ dy: UnsafePointer<Float>, shape: [Int], into d: UnsafeMutablePointer<Float>, strides: [Int]
) {
  let count = zip(shape, strides).reduce(1) { $0 * ($1.1 == 0 ? 1 : $1.0) }
  let (step, columns) = (strides.last ?? 0, shape.last ?? 1)
  d.update(repeating: 0, count: count)
  let e = BroadcastExtents(shape: shape, aStrides: strides, bStrides: strides)
  e.forEachRow { row, start, _ in
    if step == 0 {
      var sum: Float = 0
      for column in 0..<columns { sum += dy[row + column] }
      d[start] += sum
    } else {
      for column in 0..<columns { d[start + column * step] += dy[row + column] }
    }
  }
}
