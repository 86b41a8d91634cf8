import KernelInterface

/// A matrix in memory, row by row, and whether it is transposed.
public struct Matrix: @unchecked Sendable {
  let pointer: UnsafePointer<Float>
  let stride: Int
  let isTransposed: Bool

  /// - Parameters:
  ///   - pointer: The first element.
  ///   - stride: The number of elements from one row in memory to the next.
  ///   - isTransposed: Whether a row in memory is a column of the matrix.
  public init(_ pointer: UnsafePointer<Float>, stride: Int, isTransposed: Bool = false) {
    self.pointer = pointer
    self.stride = stride
    self.isTransposed = isTransposed
  }

  /// The matrix with rows and columns exchanged; the memory stays.
  public var transposed: Matrix { Matrix(pointer, stride: stride, isTransposed: !isTransposed) }

  var strided: StridedMatrix {
    isTransposed
      ? StridedMatrix(pointer, row: 1, column: stride)
      : StridedMatrix(pointer, row: stride, column: 1)
  }
}

/// `C = A B`, or `C += A B`, on one thread: `C` is m × n, `A` m × k, `B` k × n.
public func matrixProduct(
  _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride: Int,
  m: Int, n: Int, k: Int, adding: Bool = false
) {
  let set = KernelSet.current
  let scratch = Scratch(count: set.loops.scratchCount)
  set.products.multiply(
    a.strided, b.strided, into: c, stride: stride, m: m, n: n, k: k, adding: adding,
    scratch: scratch.pointer)
}

/// ``matrixProduct(_:_:into:stride:m:n:k:adding:)`` by the definition: its reference in tests.
public func matrixProductReference(
  _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride: Int,
  m: Int, n: Int, k: Int, adding: Bool = false
) {
  let (aRow, aColumn) = a.isTransposed ? (1, a.stride) : (a.stride, 1)
  let (bRow, bColumn) = b.isTransposed ? (1, b.stride) : (b.stride, 1)
  for row in 0..<m {
    let target = c + row * stride
    if !adding { target.update(repeating: 0, count: n) }
    for inner in 0..<k {
      let factor = a.pointer[row * aRow + inner * aColumn]
      let source = b.pointer + inner * bRow
      for column in 0..<n { target[column] += factor * source[column * bColumn] }
    }
  }
}
