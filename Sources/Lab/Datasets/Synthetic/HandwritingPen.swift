import LabTensors

/// A round, soft pen that fills EMNIST's frame.
///
/// EMNIST's images come from scans by these steps: blur, crop to the ink, centre in a square that
/// keeps the aspect ratio, pad by two pixels, scale to 28×28, stretch the grays to 0…255. The pen
/// does the same to the strokes before it draws them, so nothing has to be drawn large first.
///
/// Source: Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of MNIST to handwritten
/// letters" (2017), section II-B.
package struct HandwritingPen {
  /// Pixels a side of an image.
  package static let side = 28
  /// The image without ink.
  package static let blank = [UInt8](repeating: 0, count: side * side)
  /// Pixels that stay free of ink on each side of the longer dimension.
  private static let border: Float = 2

  /// Half the pen's width, in the strokes' unit.
  package var radius: Float
  /// Half the width of the edge between ink and paper, in pixels.
  package var softness: Float

  package init(radius: Float, softness: Float) {
    self.radius = radius
    self.softness = softness
  }

  /// The image of the strokes: 784 bytes row by row, ink is 255.
  package func draw(_ strokes: [[SIMD2<Float>]]) -> [UInt8] {
    let box = Box(around: strokes.joined())
    let room = Float(Self.side) - 2 * (Self.border + softness)
    let scale = room / (box.size.max() + 2 * radius)
    let reach = radius * scale + softness

    // The squared distance of each pixel's centre to the nearest stroke, as far as ink can reach.
    var distances = [Float](repeating: reach * reach, count: Self.side * Self.side)
    for stroke in strokes {
      let points = stroke.map { ($0 - box.centre) * scale + Float(Self.side) / 2 }
      for (start, end) in zip(points, points.dropFirst()) {
        approach(&distances, start, end, reach: reach)
      }
    }
    // A thin pen is made as bright as a thick one.
    let darkest = reach - (distances.min() ?? 0).squareRoot()
    guard darkest > 0 else { return Self.blank }
    let full = min(2 * softness, darkest)
    return distances.map { squared in
      let edge = min(1, (reach - squared.squareRoot()) / full)
      return UInt8((255 * edge * edge * (3 - 2 * edge)).rounded())
    }
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

/// The smallest upright rectangle around some points.
struct Box {
  private var low = SIMD2<Float>(repeating: .infinity)
  private var high = SIMD2<Float>(repeating: -.infinity)

  init(around points: some Sequence<SIMD2<Float>>) {
    for point in points {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
  }

  var centre: SIMD2<Float> { (low + high) / 2 }
  var size: SIMD2<Float> { high - low }
}
