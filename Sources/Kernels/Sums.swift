/// Adds `parts` arrays of `count` floats that lie one after another, in their order.
func sumParts(
  _ values: UnsafePointer<Float>, parts: Int, count: Int, into y: UnsafeMutablePointer<Float>
) {
  guard parts > 0 else { return y.update(repeating: 0, count: count) }
  y.update(from: values, count: count)
  for part in 1..<max(1, parts) {
    let source = values + part * count
    for index in 0..<count { y[index] += source[index] }
  }
}

/// `y[column] = Σ rows x[row, column]`: the gradient of a bias that was added to every row.
public func sumRows(
  _ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: UnsafeMutablePointer<Float>
) {
  sumParts(x, parts: rows, count: columns, into: y)
}
