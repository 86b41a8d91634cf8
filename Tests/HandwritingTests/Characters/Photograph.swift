import Foundation

/// A drawn letter on paper, as a camera might see it: with shadows, specks and noise.
struct Photograph {
  var values: [Float]
  let width: Int
  let height: Int

  /// The letters' strokes: points in a square of side 1, y down.
  static let letters: [(name: String, strokes: [[(Double, Double)]])] = [
    (
      "R",
      [
        [(0, 1), (0, 0)], [(0, 0)] + arc(0.35, 0.25, 0.3, 0.25, -90, 90) + [(0, 0.5)],
        [(0.25, 0.5), (0.7, 1)],
      ]
    ),
    ("5", [[(0.6, 0), (0.08, 0), (0.04, 0.42)] + arc(0.25, 0.68, 0.35, 0.31, -130, 140)]),
    ("A", [[(0, 1), (0.35, 0), (0.7, 1)], [(0.13, 0.62), (0.57, 0.62)]]),
    ("2", [arc(0.3, 0.28, 0.3, 0.28, -180, 40) + [(0, 1), (0.65, 1)]]),
    ("E", [[(0.6, 0), (0, 0), (0, 1), (0.6, 1)], [(0, 0.5), (0.5, 0.5)]]),
    ("8", [arc(0.3, 0.24, 0.24, 0.24, 0, 360), arc(0.3, 0.74, 0.3, 0.26, 0, 360)]),
    ("K", [[(0, 0), (0, 1)], [(0.6, 0), (0.02, 0.5), (0.65, 1)]]),
    ("i", [[(0, 0.3), (0, 1)], [(0, 0.02), (0, 0.04)]]),
    ("4", [[(0.5, 1), (0.5, 0), (0, 0.65), (0.7, 0.65)]]),
    ("H", [[(0, 0), (0, 1)], [(0.6, 0), (0.6, 1)], [(0, 0.5), (0.6, 0.5)]]),
  ]

  private static func arc(
    _ x: Double, _ y: Double, _ a: Double, _ b: Double, _ from: Double, _ to: Double
  ) -> [(Double, Double)] {
    (0...24).map { step in
      let angle = (from + (to - from) * Double(step) / 24) * .pi / 180
      return (x + a * cos(angle), y + b * sin(angle))
    }
  }

  /// Strokes on even paper.
  ///
  /// - Parameters:
  ///   - letter: The strokes.
  ///   - width: The picture's width in pixels; its height is 4/3 of that.
  ///   - left: The left end of the letter, as a fraction of the width.
  ///   - size: The letter's height, as a fraction of the picture's.
  ///   - pen: The strokes' width, as a fraction of the letter's height.
  init(
    _ letter: [[(Double, Double)]], width: Int = 240, left: Double = 0.35, size: Double = 0.42,
    pen: Double = 0.06, paper: Float = 0.85, ink: Float = 0.25
  ) {
    self.width = width
    height = width * 4 / 3
    values = [Float](repeating: paper, count: width * height)
    let unit = size * Double(height)
    let (x, y) = (left * Double(width), 0.3 * Double(height))
    for stroke in letter {
      let points = stroke.map { (x + $0.0 * unit, y + $0.1 * unit) }
      for (from, to) in zip(points, points.dropFirst()) {
        line(from, to, reach: pen * unit / 2, ink)
      }
    }
  }

  /// Draws a line with round ends and soft edges.
  mutating func line(
    _ from: (Double, Double), _ to: (Double, Double), reach: Double, _ ink: Float
  ) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1)
    let square = max(dx * dx + dy * dy, 1e-9)
    let rows = Int(min(from.1, to.1) - reach - 1)...Int(max(from.1, to.1) + reach + 1)
    let columns = Int(min(from.0, to.0) - reach - 1)...Int(max(from.0, to.0) + reach + 1)
    for row in rows.clamped(to: 0...height - 1) {
      for column in columns.clamped(to: 0...width - 1) {
        let (px, py) = (Double(column) + 0.5 - from.0, Double(row) + 0.5 - from.1)
        let share = min(max((px * dx + py * dy) / square, 0), 1)
        let distance = hypot(px - share * dx, py - share * dy)
        let cover = Float(min(max(reach + 0.5 - distance, 0), 1))
        let index = row * width + column
        let covered = values[index] + (ink - values[index]) * cover
        // What is darker stays, unless the line is lighter than the paper.
        values[index] = ink < values[0] ? min(values[index], covered) : covered
      }
    }
  }

  /// What a camera adds.
  enum Trouble: String, CaseIterable {
    case none, dot, lightDot, frame, inset, softShadow, hardShadow, cornerShadow, table, glare,
      noise
    case lines, everything
  }

  mutating func add(_ trouble: Trouble) {
    let (w, h) = (Double(width), Double(height))
    switch trouble {
    case .none: break
    case .dot: line((0.1 * w, 0.1 * h), (0.1 * w, 0.1 * h), reach: 0.007 * w, 0)
    case .lightDot: line((0.9 * w, 0.1 * h), (0.9 * w, 0.1 * h), reach: 0.008 * w, 1)
    case .frame:
      for index in values.indices {
        let (x, y) = (index % width, index / width)
        if x == 0 || y == 0 || x == width - 1 || y == height - 1 { values[index] = 0 }
      }
    case .inset:
      let corners = [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95), (0.05, 0.05)]
        .map { ($0.0 * w, $0.1 * h) }
      for (from, to) in zip(corners, corners.dropFirst()) {
        line(from, to, reach: 0.004 * w, 0.2)
      }
    case .softShadow: shade { x, y in 1 - 0.55 * (x / w + y / h) / 2 }
    case .hardShadow: shade { x, _ in x < 0.5 * w ? 1 : 0.6 }
    case .cornerShadow: shade { x, y in x / w + y / h > 1.4 ? 0.6 : 1 }
    case .table:
      for index in values.indices where Double(index % width) > 0.9 * w { values[index] = 0.15 }
    case .glare:
      for index in values.indices {
        let (x, y) = (Double(index % width) - 0.8 * w, Double(index / width) - 0.15 * h)
        let light = Float(exp(-(x * x + y * y) / (0.01 * w * w)))
        values[index] += (1 - values[index]) * light
      }
    case .noise:
      var state: UInt64 = 7
      func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 24)
      }
      for index in values.indices {
        values[index] += (next() + next() + next() - 1.5) * 0.08
      }
    case .lines:
      // Ruled paper: faint lines across the whole picture.
      for row in stride(from: 0.06 * h, to: h, by: 0.08 * h) {
        line((0, row), (w, row), reach: 0.6, values[0] - 0.1)
      }
    case .everything:
      for other in [Self.Trouble.dot, .cornerShadow, .lightDot, .noise] { add(other) }
    }
  }

  private mutating func shade(_ light: (Double, Double) -> Double) {
    for index in values.indices {
      // The edge of a shadow is a few pixels wide.
      let (x, y) = (Double(index % width), Double(index / width))
      let sum = [-2.0, -1, 0, 1, 2].reduce(0) { $0 + light(x + $1, y) }
      values[index] *= Float(sum / 5)
    }
  }
}
