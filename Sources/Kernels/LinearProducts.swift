/// The products of a fully connected layer over all threads (N rows, I features in, O out).
///
/// Work is divided along the outputs, never along a sum, so results do not depend on the number of
/// threads.

/// Columns of the result that one part works on: wide enough for the library to be at its best.
private let block = 64

/// `y = x weightᵀ + bias`: x is N×I, weight O×I, bias O or nil, y N×O.
public func linear(
  x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  y: UnsafeMutablePointer<Float>, n: Int, inputs: Int, outputs: Int
) {
  if let bias {
    for row in 0..<n { (y + row * outputs).update(from: bias, count: outputs) }
  }
  overBlocks(of: outputs) { first, width in
    matrixProduct(
      Matrix(x, stride: inputs), Matrix(weight + first * inputs, stride: inputs).transposed,
      into: y + first, stride: outputs, m: n, n: width, k: inputs, adding: bias != nil)
  }
}

/// `dx = dy weight`: the gradient of ``linear(x:weight:bias:y:n:inputs:outputs:)`` by x.
public func linearInputGradient(
  dy: UnsafePointer<Float>, weight: UnsafePointer<Float>,
  dx: UnsafeMutablePointer<Float>, n: Int, inputs: Int, outputs: Int
) {
  overBlocks(of: inputs) { first, width in
    matrixProduct(
      Matrix(dy, stride: outputs), Matrix(weight + first, stride: inputs),
      into: dx + first, stride: inputs, m: n, n: width, k: outputs)
  }
}

/// `dWeight = dyᵀ x`: the gradient of ``linear(x:weight:bias:y:n:inputs:outputs:)`` by weight.
public func linearWeightGradient(
  dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
  dWeight: UnsafeMutablePointer<Float>, n: Int, inputs: Int, outputs: Int
) {
  overBlocks(of: inputs) { first, width in
    matrixProduct(
      Matrix(dy, stride: outputs).transposed, Matrix(x + first, stride: inputs),
      into: dWeight + first, stride: inputs, m: outputs, n: width, k: n)
  }
}

private func overBlocks(of columns: Int, _ body: (_ first: Int, _ width: Int) -> Void) {
  // Wide matrices are cut into more than a few dozen parts for nothing.
  let width = max(block, (columns / 64 + 15) / 16 * 16)
  parallel(count: (columns + width - 1) / width) { part in
    body(part * width, min(width, columns - part * width))
  }
}
