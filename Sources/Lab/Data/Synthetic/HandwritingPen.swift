/// A round, soft pen that fills EMNIST's frame.
///
/// EMNIST's images come from scans by these steps: blur, crop to the ink, centre in a square that
/// keeps the aspect ratio, pad by two pixels, scale to 28×28. The pen does the same to the strokes
/// before it draws them, so nothing has to be drawn large first.
///
/// Source: Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of MNIST to handwritten
/// letters" (2017), section II-B.
struct HandwritingPen {
  /// Pixels a side of an image.
  static let side = 28
  /// Pixels that stay free of ink on each side of the longer dimension.
  private static let border: Float = 2

  /// Half the pen's width in pixels.
  var radius: Float
  /// Half the width in pixels of the edge between ink and paper.
  var softness: Float

  /// The image of the strokes: 784 bytes row by row, ink is 255.
  func draw(_ strokes: [[SIMD2<Float>]]) -> [UInt8] {
    // The distance of each pixel's centre to the nearest stroke, as far as ink can reach.
    let reach = radius + softness
    var distances = [Float](repeating: reach * reach, count: Self.side * Self.side)
    for stroke in fitted(strokes) {
      for (start, end) in zip(stroke, stroke.dropFirst()) {
        approach(&distances, start, end, reach: reach)
      }
    }
    return distances.map { squared in
      let edge = min(1, (reach - squared.squareRoot()) / (2 * softness))
      return UInt8((255 * edge * edge * (3 - 2 * edge)).rounded())
    }
  }

  /// The strokes moved and scaled so that their ink fills the frame but for the border.
  private func fitted(_ strokes: [[SIMD2<Float>]]) -> [[SIMD2<Float>]] {
    let points = strokes.joined()
    guard var low = points.first else { return [] }
    var high = low
    for point in points {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    let centre = (low + high) / 2
    let room = Float(Self.side) - 2 * (Self.border + radius + softness)
    let scale = room / max((high - low).max(), 1e-3)
    return strokes.map { $0.map { ($0 - centre) * scale + Float(Self.side) / 2 } }
  }

  /// Lowers the squared distances of the pixels near the straight line from `start` to `end`.
  private func approach(
    _ distances: inout [Float], _ start: SIMD2<Float>, _ end: SIMD2<Float>, reach: Float
  ) {
    let low = pointwiseMin(start, end) - reach
    let high = pointwiseMax(start, end) + reach
    let way = end - start
    let inverse = 1 / max(way.squaredLength, 1e-6)
    let limit = Self.side - 1
    for row in max(0, Int(low.y))...min(limit, Int(high.y)) {
      for column in max(0, Int(low.x))...min(limit, Int(high.x)) {
        let pixel = SIMD2(Float(column) + 0.5, Float(row) + 0.5) - start
        let along = min(1, max(0, (pixel * way).sum() * inverse))
        let distance = (pixel - way * along).squaredLength
        let index = row * Self.side + column
        if distance < distances[index] { distances[index] = distance }
      }
    }
  }
}
