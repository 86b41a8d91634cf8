import LabTensors

/// The path of a pen through the points of a stroke, in arcs.
package enum PenPath {
  /// Points along the stroke, about half a square apart.
  ///
  /// At a point inside the stroke, the pen's direction is that of the circle through the point and its
  /// two neighbours, so that four points make a ring. At an end or a corner, the direction is that in
  /// which the arc from the neighbour arrives.
  package static func points(along stroke: [Form.Point]) -> [SIMD2<Float>] {
    var path = [stroke[0].position]
    for index in 1..<stroke.count {
      let start = stroke[index - 1].position
      let end = stroke[index].position
      let way = end - start
      let length = way.length
      guard length > 0 else {
        path.append(end)
        continue
      }
      let chord = way / length
      let smoothStart = direction(at: index - 1, of: stroke)
      let smoothEnd = direction(at: index, of: stroke)
      let leaving = smoothStart ?? smoothEnd.map { mirrored($0, about: chord) } ?? chord
      let arriving = smoothEnd ?? smoothStart.map { mirrored($0, about: chord) } ?? chord
      let steps = max(1, Int((2 * length).rounded()))
      for step in 1...steps {
        path.append(
          hermite(
            start, leaving * speed(leaving, chord, length),
            end, arriving * speed(arriving, chord, length), Float(step) / Float(steps)))
      }
    }
    return path
  }

  /// The direction of the circle through three neighbouring points; nil at ends and corners.
  private static func direction(at index: Int, of stroke: [Form.Point]) -> SIMD2<Float>? {
    guard index > 0, index < stroke.count - 1, !stroke[index].isCorner else { return nil }
    let before = stroke[index].position - stroke[index - 1].position
    let after = stroke[index + 1].position - stroke[index].position
    let sum = before / max(before.squaredLength, 1e-6) + after / max(after.squaredLength, 1e-6)
    let length = sum.length
    return length > 0 ? sum / length : nil
  }

  private static func mirrored(
    _ direction: SIMD2<Float>, about axis: SIMD2<Float>
  ) -> SIMD2<Float> {
    axis * (2 * (axis * direction).sum()) - direction
  }

  /// The speed at which a cubic curve over this chord, with this direction at one end, is nearly an
  /// arc of a circle.
  private static func speed(
    _ direction: SIMD2<Float>, _ chord: SIMD2<Float>, _ length: Float
  ) -> Float {
    2 * length / (1 + max(0, (direction * chord).sum()))
  }

  /// The cubic curve from `start` to `end` with the given velocities, at `time` in 0…1.
  private static func hermite(
    _ start: SIMD2<Float>, _ leaving: SIMD2<Float>, _ end: SIMD2<Float>, _ arriving: SIMD2<Float>,
    _ time: Float
  ) -> SIMD2<Float> {
    let rest = 1 - time
    let fromStart = start * (1 + 2 * time) + leaving * time
    let fromEnd = end * (1 + 2 * rest) - arriving * rest
    return fromStart * (rest * rest) + fromEnd * (time * time)
  }
}

extension SIMD2<Float> {
  var squaredLength: Float { x * x + y * y }
  var length: Float { squaredLength.squareRoot() }
}
