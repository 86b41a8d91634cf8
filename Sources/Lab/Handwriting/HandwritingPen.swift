import LabTensors

/// A round pen with soft edges that draws images in the form of EMNIST's.
///
/// EMNIST's images were made from scans by these steps: blur, crop to the ink, center in a square, pad
/// by two pixels, resize to 28×28, stretch the grays to 0…255. The pen transforms the strokes in the
/// same way before it draws them at the final size.
///
/// Source: Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of MNIST to handwritten
/// letters" (2017), section II-B.
package struct HandwritingPen {
  /// The height and width of an image.
  package static let side = 28
  /// The image without ink.
  package static let blank = [UInt8](repeating: 0, count: side * side)
  /// The number of pixels without ink on each side of the longer dimension.
  private static let border: Float = 2

  /// Half the pen's width, in the unit of the strokes.
  package var radius: Float
  /// Half the width of the edge between ink and paper, in pixels.
  package var softness: Float

  package init(radius: Float, softness: Float) {
    self.radius = radius
    self.softness = softness
  }

  /// Draws strokes: 784 bytes in row-major order, from 0 for paper to 255 for ink.
  package func draw(_ strokes: [[SIMD2<Float>]]) -> [UInt8] {
    let box = Box(around: strokes.joined())
    let room = Float(Self.side) - 2 * (Self.border + softness)
    let scale = room / (box.size.max() + 2 * radius)
    let reach = radius * scale + softness

    // The squared distance of each pixel's center to the nearest stroke, up to the reach of ink.
    var distances = [Float](repeating: reach * reach, count: Self.side * Self.side)
    for stroke in strokes {
      let points = stroke.map { ($0 - box.center) * scale + Float(Self.side) / 2 }
      for (start, end) in zip(points, points.dropFirst()) {
        approach(&distances, start, end, reach: reach)
      }
    }
    // A thin pen gets as bright as a thick one.
    let darkest = reach - (distances.min() ?? 0).squareRoot()
    guard darkest > 0 else { return Self.blank }
    let full = min(2 * softness, darkest)
    return distances.map { squared in
      let edge = min(1, (reach - squared.squareRoot()) / full)
      return UInt8((255 * edge * edge * (3 - 2 * edge)).rounded())
    }
  }

  /// Updates the squared distances of the pixels near the line segment from `start` to `end`.
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

/// The bounding box of some points.
struct Box {
  private var low = SIMD2<Float>(repeating: .infinity)
  private var high = SIMD2<Float>(repeating: -.infinity)

  init(around points: some Sequence<SIMD2<Float>>) {
    for point in points {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
  }

  var center: SIMD2<Float> { (low + high) / 2 }
  var size: SIMD2<Float> { high - low }
}
