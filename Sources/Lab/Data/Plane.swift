import Foundation

/// A matrix of numbers, such as the gray values of a picture.
struct Plane {
  /// In row-major order.
  var values: [Float]
  let width: Int
  let height: Int

  subscript(x: Int, y: Int) -> Float { values[y * width + x] }

  /// The values along the four edges; those in the corners twice.
  var edges: [Float] {
    var edges = Array(values[..<width] + values[((height - 1) * width)...])
    for row in 0..<height {
      edges.append(values[row * width])
      edges.append(values[row * width + width - 1])
    }
    return edges
  }

  /// The bounding box of all values above a limit.
  func box(above limit: Float) -> (x: Int, y: Int, width: Int, height: Int) {
    var (left, right, top, bottom) = (width, 0, height, 0)
    for y in 0..<height {
      for x in 0..<width where values[y * width + x] > limit {
        (left, right) = (min(left, x), max(right, x + 1))
        (top, bottom) = (min(top, y), max(bottom, y + 1))
      }
    }
    return (left, top, right - left, bottom - top)
  }

  /// A part of the matrix, with zeros outside of it.
  func cut(x: Int, y: Int, width: Int, height: Int) -> Plane {
    var part = [Float](repeating: 0, count: width * height)
    for row in max(0, -y)..<min(height, self.height - y) {
      for column in max(0, -x)..<min(width, self.width - x) {
        part[row * width + column] = values[(row + y) * self.width + column + x]
      }
    }
    return Plane(values: part, width: width, height: height)
  }

  /// The means of blocks.
  ///
  /// - Parameters:
  ///   - factor: The height and width of a block.
  ///   - isPadded: Whether incomplete blocks at the end are filled with zeros.
  func averaged(by factor: Int, isPadded: Bool = true) -> Plane {
    guard factor > 1 else { return self }
    let (width, height) = ((width + factor - 1) / factor, (height + factor - 1) / factor)
    var sums = [Float](repeating: 0, count: width * height)
    for y in 0..<self.height {
      for x in 0..<self.width {
        sums[y / factor * width + x / factor] += values[y * self.width + x]
      }
    }
    for y in 0..<height {
      for x in 0..<width {
        let columns = isPadded ? factor : min(factor, self.width - x * factor)
        let rows = isPadded ? factor : min(factor, self.height - y * factor)
        sums[y * width + x] /= Float(columns * rows)
      }
    }
    return Plane(values: sums, width: width, height: height)
  }

  /// The value at a position between the centers of elements, by linear interpolation.
  func interpolated(x: Float, y: Float) -> Float {
    let (x, y) = (min(max(x, 0), Float(width - 1)), min(max(y, 0), Float(height - 1)))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (u, v) = (x - Float(left), y - Float(top))
    let above = self[left, top] * (1 - u) + self[right, top] * u
    let below = self[left, bottom] * (1 - u) + self[right, bottom] * u
    return above * (1 - v) + below * v
  }

  /// The matrix after a Gaussian filter.
  func blurred(_ deviation: Double) -> Plane { blurred(across: deviation, down: deviation) }

  /// The matrix after a Gaussian filter.
  ///
  /// - Parameters:
  ///   - across: The filter's standard deviation along rows.
  ///   - down: The filter's standard deviation along columns.
  func blurred(across: Double, down: Double) -> Plane {
    func filter(_ deviation: Double) -> (Int) -> (Int, [Float]) {
      let reach = Int((3 * deviation).rounded(.up))
      let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
      let sum = weights.reduce(0, +)
      let shares = weights.map { Float($0 / sum) }
      return { ($0 - reach, shares) }
    }
    return filtered(width: width, height: height, columns: filter(across), rows: filter(down))
  }

  /// The matrix with rows and columns exchanged.
  var transposed: Plane {
    var values = values
    for y in 0..<height {
      for x in 0..<width { values[x * height + y] = self.values[y * width + x] }
    }
    return Plane(values: values, width: height, height: width)
  }

  /// Resizes a part of the matrix to a square with bicubic interpolation and antialiasing.
  ///
  /// - Parameters:
  ///   - side: The height and width of the square.
  ///   - step: The size of a pixel of the square in pixels of the matrix.
  ///   - centerX: The column of the matrix in the center of the square.
  ///   - centerY: The row of the matrix in the center of the square.
  func resampled(side: Int, step: Double, centerX: Double, centerY: Double) -> Plane {
    func filter(_ center: Double) -> (Int) -> (Int, [Float]) {
      { index in
        let middle = center + (Double(index) + 0.5 - Double(side) / 2) * step
        let scale = max(step, 1)
        let first = Int((middle - 2 * scale).rounded(.down))
        let last = Int((middle + 2 * scale).rounded(.up))
        let weights = (first...last).map { cubic((Double($0) + 0.5 - middle) / scale) }
        let sum = weights.reduce(0, +)
        return (first, weights.map { Float($0 / sum) })
      }
    }
    return filtered(
      width: side, height: side, columns: filter(centerX), rows: filter(centerY))
  }

  /// Weighted sums along rows, then along columns.
  ///
  /// - Parameters:
  ///   - width: The width of the result.
  ///   - height: The height of the result.
  ///   - columns: For a column of the result, the first source column, and the weights of it and the
  ///     next ones.
  ///   - rows: The same for rows.
  private func filtered(
    width: Int, height: Int, columns: (Int) -> (Int, [Float]), rows: (Int) -> (Int, [Float])
  ) -> Plane {
    var across = [Float](repeating: 0, count: width * self.height)
    for x in 0..<width {
      let (first, weights) = columns(x)
      for (column, weight) in zip(first..., weights) where (0..<self.width).contains(column) {
        for y in 0..<self.height {
          across[y * width + x] += weight * values[y * self.width + column]
        }
      }
    }
    var result = [Float](repeating: 0, count: width * height)
    for y in 0..<height {
      let (first, weights) = rows(y)
      for (row, weight) in zip(first..., weights) where (0..<self.height).contains(row) {
        for x in 0..<width { result[y * width + x] += weight * across[row * width + x] }
      }
    }
    return Plane(values: result, width: width, height: height)
  }
}

/// The cubic convolution kernel with a = −1/2.
///
/// Source: R. Keys, "Cubic convolution interpolation for digital image processing" (1981).
private func cubic(_ x: Double) -> Double {
  let x = abs(x)
  if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
}
