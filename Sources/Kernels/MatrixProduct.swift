/// A matrix in memory, row after row, and whether it is to be read transposed.
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
}

/// `C = A B`, or `C += A B`, on one thread: `C` is m × n, `A` m × k, `B` k × n.
public func matrixProduct(
  _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride: Int,
  m: Int, n: Int, k: Int, adding: Bool = false
) {
  guard let multiply = BLAS.implementation.multiply else {
    return matrixProductReference(
      a, b, into: c, stride: stride, m: m, n: n, k: k, adding: adding)
  }
  let rowMajor: CInt = 101
  let (plain, transposed): (CInt, CInt) = (111, 112)
  multiply(
    rowMajor, a.isTransposed ? transposed : plain, b.isTransposed ? transposed : plain,
    CInt(m), CInt(n), CInt(k), 1, a.pointer, CInt(a.stride), b.pointer, CInt(b.stride),
    adding ? 1 : 0, c, CInt(stride))
}

/// What ``matrixProduct(_:_:into:stride:m:n:k:adding:)`` computes, by the definition: the reference
/// that it is tested against, and its stand-in on a machine without a library for it.
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
