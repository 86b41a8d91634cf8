/// Layer normalization: each row to mean 0 and variance 1, then scaled and shifted by column.
///
/// Sums are taken in double precision in a fixed order, so results do not depend on the number of
/// threads.
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
public enum LayerNormalization {
  /// `y = weight (x - mean) / √(variance + epsilon) + bias` for each row of `columns` elements.
  ///
  /// - Parameters:
  ///   - weight: A factor for each column; nil for 1. The bias likewise; nil for 0.
  ///   - means: The mean of each row, for the gradients.
  ///   - scales: `1 / √(variance + epsilon)` of each row, for the gradients.
  public static func forward(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
    epsilon: Double, y: UnsafeMutablePointer<Float>, means: UnsafeMutablePointer<Float>,
    scales: UnsafeMutablePointer<Float>, rows: Int, columns: Int
  ) {
    parallel(count: rows, grain: grain(columns)) { range in
      for row in range {
        let (source, target) = (x + row * columns, y + row * columns)
        let mean = sumOfRun(source, count: columns) / Double(columns)
        var squares = 0.0
        for index in 0..<columns {
          let difference = Double(source[index]) - mean
          squares += difference * difference
        }
        let scale = 1 / (squares / Double(columns) + epsilon).squareRoot()
        (means[row], scales[row]) = (Float(mean), Float(scale))
        for index in 0..<columns {
          target[index] =
            (source[index] - means[row]) * scales[row] * (weight?[index] ?? 1)
            + (bias?[index] ?? 0)
        }
      }
    }
  }

  /// The gradients of ``forward(x:weight:bias:epsilon:y:means:scales:rows:columns:)``. Each of dx,
  /// dWeight and dBias is overwritten, or skipped if it is nil.
  ///
  /// With `x̂ = (x - mean) scale` and `g = dy weight`: `dWeight = Σ rows dy x̂`,
  /// `dBias = Σ rows dy`, `dx = scale (g - mean(g) - x̂ mean(g x̂))`.
  public static func gradients(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>?, means: UnsafePointer<Float>,
    scales: UnsafePointer<Float>, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?,
    dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?, rows: Int,
    columns: Int
  ) {
    if let dx {
      parallel(count: rows, grain: grain(columns)) { range in
        for row in range {
          let (source, gradient) = (x + row * columns, dy + row * columns)
          var (sum, product) = (0.0, 0.0)
          for index in 0..<columns {
            let g = Double(gradient[index] * (weight?[index] ?? 1))
            sum += g
            product += g * Double((source[index] - means[row]) * scales[row])
          }
          let (offset, slope) = (Float(sum / Double(columns)), Float(product / Double(columns)))
          for index in 0..<columns {
            let normal = (source[index] - means[row]) * scales[row]
            let g = gradient[index] * (weight?[index] ?? 1)
            dx[row * columns + index] = scales[row] * (g - offset - normal * slope)
          }
        }
      }
    }
    guard dWeight != nil || dBias != nil else { return }
    // The threads share the columns, so that the rows are added in order.
    parallel(count: columns, grain: max(16, (1 << 16) / max(1, rows))) { range in
      var (products, sums) = (
        [Double](repeating: 0, count: range.count), [Double](repeating: 0, count: range.count)
      )
      for row in 0..<rows {
        for (index, column) in range.enumerated() {
          let place = row * columns + column
          sums[index] += Double(dy[place])
          products[index] += Double(dy[place] * ((x[place] - means[row]) * scales[row]))
        }
      }
      for (index, column) in range.enumerated() {
        dWeight?[column] = Float(products[index])
        dBias?[column] = Float(sums[index])
      }
    }
  }

  private static func grain(_ columns: Int) -> Int { max(1, (1 << 15) / max(1, columns)) }
}
