import KernelInterface

/// The matrix products of linear layers on all threads (N rows, I input features, O output features).
///
/// How a product is divided follows from its extents alone, and sums over parts are taken in their
/// order, so results do not depend on the number of threads.

/// `y = x weightᵀ + bias`: x is N×I, weight O×I, bias O or nil, y N×O.
public func linear(
  x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  y: UnsafeMutablePointer<Float>, n: Int, inputs: Int, outputs: Int
) {
  if let bias {
    for row in 0..<n { (y + row * outputs).update(from: bias, count: outputs) }
  }
  let (x, weight) = (Matrix(x, stride: inputs), Matrix(weight, stride: inputs).transposed)
  // Long sums for few outputs: the threads share the terms.
  if n > 4, outputs <= 256, inputs >= 2048 {
    return multiplyLongSums(
      x, weight, into: y, m: n, n: outputs, k: inputs, adding: bias != nil)
  }
  multiply(x, weight, into: y, m: n, n: outputs, k: inputs, adding: bias != nil)
}

/// `dx = dy weight`: the gradient of ``linear(x:weight:bias:y:n:inputs:outputs:)`` by x.
public func linearInputGradient(
  dy: UnsafePointer<Float>, weight: UnsafePointer<Float>,
  dx: UnsafeMutablePointer<Float>, n: Int, inputs: Int, outputs: Int
) {
  multiply(
    Matrix(dy, stride: outputs), Matrix(weight, stride: inputs), into: dx,
    m: n, n: inputs, k: outputs)
}

/// `dWeight = dyᵀ x`: the gradient of ``linear(x:weight:bias:y:n:inputs:outputs:)`` by weight.
public func linearWeightGradient(
  dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
  dWeight: UnsafeMutablePointer<Float>, n: Int, inputs: Int, outputs: Int
) {
  multiply(
    Matrix(dy, stride: outputs).transposed, Matrix(x, stride: inputs), into: dWeight,
    m: outputs, n: inputs, k: n)
}

/// A product whose columns the threads share. The rows of the result are contiguous.
private func multiply(
  _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
  adding: Bool = false
) {
  let set = KernelSet.current
  // A part must be worth waking a thread, and have enough columns to repay packing A.
  let worth = max(1, m * n * k / 5_000_000)
  let widest = max(m <= 4 ? 16 : 128, (n + 31) / 32)
  let parts = max(1, min(worth, n / widest))
  let (blocks, block) = ((n + 15) / 16, 16)
  parallel(count: parts) { part in
    let first = blocks * part / parts * block
    let past = min(n, blocks * (part + 1) / parts * block)
    let scratch = Scratch(count: set.loops.scratchCount)
    set.products.multiply(
      a.strided, b.strided.from(column: first), into: c + first, stride: n,
      m: m, n: past - first, k: k, adding: adding, scratch: scratch.pointer)
  }
}

/// A product whose sums are divided into parts, which are added up in their order.
private func multiplyLongSums(
  _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
  adding: Bool
) {
  let set = KernelSet.current
  let parts = min(8, k / 1024)
  let partial = Scratch(count: parts * m * n)
  parallel(count: parts) { part in
    let (first, past) = (k * part / parts, k * (part + 1) / parts)
    let scratch = Scratch(count: set.loops.scratchCount)
    set.products.multiply(
      a.strided.from(column: first), b.strided.from(row: first),
      into: partial.pointer + part * m * n, stride: n,
      m: m, n: n, k: past - first, adding: false, scratch: scratch.pointer)
  }
  if adding {
    for part in 0..<parts {
      let source = partial.pointer + part * m * n
      for index in 0..<m * n { c[index] += source[index] }
    }
  } else {
    sumParts(partial.pointer, parts: parts, count: m * n, into: c)
  }
}

extension StridedMatrix {
  fileprivate func from(row first: Int) -> StridedMatrix {
    StridedMatrix(pointer + first * row, row: row, column: column)
  }

  fileprivate func from(column first: Int) -> StridedMatrix {
    StridedMatrix(pointer + first * column, row: row, column: column)
  }
}

/// The products of pairs of matrices, `C[i] = A[i] B[i]`: A[i] is m × k, B[i] k × n. The results
/// follow each other in memory.
///
/// - Parameters:
///   - a: The first matrix of A; the others have the same stride.
///   - aOffsets: The position of each A[i] relative to the first; the same matrix may occur several
///     times. The number of offsets is the number of products.
///   - b: The first matrix of B.
///   - bOffsets: The position of each B[i].
public func matrixProducts(
  _ a: Matrix, offsets aOffsets: [Int], _ b: Matrix, offsets bOffsets: [Int],
  into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int
) {
  let count = aOffsets.count
  // Few products share their columns among the threads; the choice follows from the extents alone.
  guard count >= 8 else {
    for index in 0..<count {
      multiply(
        a.moved(by: aOffsets[index]), b.moved(by: bOffsets[index]), into: c + index * m * n,
        m: m, n: n, k: k)
    }
    return
  }
  let set = KernelSet.current
  parallel(count: count, grain: max(1, 1_000_000 / max(1, m * n * k))) { range in
    let scratch = Scratch(count: set.loops.scratchCount)
    for index in range {
      set.products.multiply(
        a.moved(by: aOffsets[index]).strided, b.moved(by: bOffsets[index]).strided,
        into: c + index * m * n, stride: n, m: m, n: n, k: k, adding: false,
        scratch: scratch.pointer)
    }
  }
}

extension Matrix {
  fileprivate func moved(by offset: Int) -> Matrix {
    Matrix(pointer + offset, stride: stride, isTransposed: isTransposed)
  }
}
