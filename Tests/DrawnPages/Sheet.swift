import Foundation
import LabRandom

/// Where a line of writing is on the sheet.
struct LinePlace: Sendable {
  /// The upper left corner of the line's first letter.
  let origin: SIMD2<Double>
  /// The direction of the line, a unit vector.
  let direction: SIMD2<Double>
  /// The size of a pixel of EMNIST's images.
  let scale: Double

  /// The position on the sheet of a position in the line.
  func point(_ x: Double, _ y: Double) -> SIMD2<Double> {
    let normal = SIMD2(-direction.y, direction.x)
    return origin + scale * (x * direction + y * normal)
  }

  /// The position in the line of a position on the sheet.
  func position(_ point: SIMD2<Double>) -> SIMD2<Double> {
    let d = (point - origin) / scale
    return SIMD2(d.x * direction.x + d.y * direction.y, -d.x * direction.y + d.y * direction.x)
  }

  /// A polygon around a line's letters, from the upper left corner to the right and back below.
  func outline(of line: WrittenLine) -> [SIMD2<Double>] {
    let (first, end) = line.extent
    let columns = (0...12).map { first + (end - first) * Double($0) / 12 }
    return columns.map { point($0, 3) } + columns.reversed().map { point($0, 25) }
  }
}

/// A sheet of paper with writing, seen from straight above in even light.
struct Sheet {
  let width, height: Int
  /// The color of each pixel.
  private(set) var colors: [SIMD3<Float>]
  /// The places of the lines.
  let places: [LinePlace]

  init(_ lines: [WrittenLine], _ style: PageStyle, _ random: inout RandomState) {
    let places = Self.places(of: lines, style, &random)
    let margin = style.margin * style.lineHeight
    let ends = zip(lines, places).flatMap { line, place in
      [(0.0, 0.0), (1, 0), (0, 1), (1, 1)].map {
        place.point($0.0 * Double(line.width), $0.1 * Double(WrittenLine.side))
      }
    }
    let first = SIMD2(ends.map(\.x).min() ?? 0, ends.map(\.y).min() ?? 0) - margin
    let last = SIMD2(ends.map(\.x).max() ?? 0, ends.map(\.y).max() ?? 0) + margin
    self.places = places.map {
      LinePlace(origin: $0.origin - first, direction: $0.direction, scale: $0.scale)
    }
    (width, height) = (Int(last.x - first.x), Int(last.y - first.y))
    colors = Self.paper(width, height, style.paper, &random)
    draw(style.ruling, style)
    for (line, place) in zip(lines, self.places) { write(line, place, style, &random) }
  }

  /// Places lines below each other, each with its own slant.
  private static func places(
    of lines: [WrittenLine], _ style: PageStyle, _ random: inout RandomState
  ) -> [LinePlace] {
    var places: [LinePlace] = []
    let side = Double(WrittenLine.side)
    for line in lines {
      let degrees = -style.slant + random.uniform(-style.slantJitter, style.slantJitter)
      let angle = degrees * .pi / 180
      let scale = style.lineHeight / side * random.uniform(0.93, 1.07)
      let indent = style.lineHeight * random.uniform(0, 0.8)
      var place = LinePlace(
        origin: [indent, 0], direction: [cos(angle), sin(angle)], scale: scale)
      if let above = places.last, let other = lines.dropLast(lines.count - places.count).last {
        // Where both lines have letters, this one is below the other one.
        let reach = min(Double(line.width) * scale, Double(other.width) * above.scale)
        let distances = [0.0, 0.5, 1].map { share -> Double in
          let top = place.point(share * reach / scale, 0).y
          return above.point(share * reach / above.scale, side).y - top
        }
        let gap = (style.gap + random.uniform(0, 0.15)) * style.lineHeight
        place = LinePlace(
          origin: [indent, (distances.max() ?? 0) + gap], direction: place.direction,
          scale: scale)
      }
      places.append(place)
    }
    return places
  }

  /// Paper with fibres and slight clouds.
  private static func paper(
    _ width: Int, _ height: Int, _ color: SIMD3<Float>, _ random: inout RandomState
  ) -> [SIMD3<Float>] {
    let clouds = Clouds(width: width, height: height, spacing: 90, &random)
    let fibres = Clouds(width: width, height: height, spacing: 5, &random)
    return (0..<width * height).map { index in
      let (x, y) = (Double(index % width), Double(index / width))
      return color * (1 + 0.012 * clouds[x, y] + 0.008 * fibres[x, y])
    }
  }

  private mutating func draw(_ ruling: PageStyle.Ruling, _ style: PageStyle) {
    let thickness = max(1.2, style.lineHeight / 40)
    let (w, h) = (Double(width), Double(height))
    switch ruling {
    case .none: break
    case .lines(let color, let margin):
      // As on bought paper they are horizontal, at the lines' mean distance.
      let middles = places.map { $0.point(0, 23).y }
      let steps = zip(middles, middles.dropFirst()).map { $1 - $0 }
      let step = steps.isEmpty ? h / 6 : steps.reduce(0, +) / Double(steps.count)
      var y = (middles.first ?? 0).truncatingRemainder(dividingBy: step)
      while y < h {
        stroke((0, y), (w, y), thickness, color)
        y += step
      }
      if let margin {
        let x = 0.6 * style.margin * style.lineHeight
        stroke((x, 0), (x, h), thickness, margin)
      }
    case .squares(let color, let side):
      let step = side * style.lineHeight
      for x in stride(from: 0.4 * step, to: w, by: step) {
        stroke((x, 0), (x, h), thickness, color)
      }
      for y in stride(from: 0.7 * step, to: h, by: step) {
        stroke((0, y), (w, y), thickness, color)
      }
    case .frame(let color):
      let inset = 0.4 * style.margin * style.lineHeight
      let (a, b) = (w - inset, h - inset)
      for (from, to) in [
        ((inset, inset), (a, inset)), ((a, inset), (a, b)), ((a, b), (inset, b)),
        ((inset, b), (inset, inset)),
      ] {
        stroke(from, to, 2 * thickness, color)
      }
    }
  }

  /// Draws a horizontal or vertical line.
  private mutating func stroke(
    _ from: (Double, Double), _ to: (Double, Double), _ thickness: Double, _ color: SIMD3<Float>
  ) {
    let (left, right) = (min(from.0, to.0) - thickness / 2, max(from.0, to.0) + thickness / 2)
    let (top, bottom) = (min(from.1, to.1) - thickness / 2, max(from.1, to.1) + thickness / 2)
    func cover(_ first: Double, _ end: Double, _ index: Int) -> Float {
      Float(max(0, min(end, Double(index) + 1) - max(first, Double(index))))
    }
    for y in max(0, Int(top))..<min(height, max(0, Int(bottom) + 1)) {
      for x in max(0, Int(left))..<min(width, max(0, Int(right) + 1)) {
        let share = cover(left, right, x) * cover(top, bottom, y)
        colors[y * width + x] += (color - colors[y * width + x]) * share
      }
    }
  }

  /// Writes a line with sharp strokes.
  private mutating func write(
    _ line: WrittenLine, _ place: LinePlace, _ style: PageStyle, _ random: inout RandomState
  ) {
    let pressure = Clouds(width: width, height: height, spacing: style.lineHeight / 2, &random)
    let grain = Clouds(width: width, height: height, spacing: 2, &random)
    // A lower limit makes strokes wider.
    let limit = Float(0.5 - 0.3 * line.hand.weight)
    let softness = Float(0.45 / place.scale.squareRoot())
    for letter in line.letters {
      let side = Double(WrittenLine.side)
      let reach = abs(line.hand.shear) * side + 2
      let corners = [
        (-reach, -2.0), (side + reach, -2), (-reach, side + 2), (side + reach, side + 2),
      ]
      .map { place.point(letter.x + $0.0, letter.y + $0.1) }
      let columns =
        max(
          0, Int(corners.map(\.x).min() ?? 0))..<min(
          width, Int(corners.map(\.x).max() ?? 0) + 1)
      for y in max(
        0, Int(corners.map(\.y).min() ?? 0))..<min(
          height, Int(corners.map(\.y).max() ?? 0) + 1)
      {
        for x in columns {
          let position = place.position([Double(x) + 0.5, Double(y) + 0.5])
          let value = letter.ink(
            position.x + line.hand.shear * (position.y - side / 2), position.y)
          guard value > 0.05 else { continue }
          let edge = min(max((value - limit) / softness + 0.5, 0), 1)
          let (px, py) = (Double(x), Double(y))
          let cover =
            edge * edge * (3 - 2 * edge)
            * min(1, 0.93 + 0.1 * pressure[px, py] + 0.06 * grain[px, py])
          let index = y * width + x
          // Where letters overlap, the darker one remains.
          let paper = style.paper
          let color = paper + (line.hand.ink - paper) * cover
          let isStronger =
            abs((color - paper).sum()) > abs((colors[index] - paper).sum())
          if isStronger { colors[index] += (line.hand.ink - colors[index]) * cover }
        }
      }
    }
  }

  /// The color at a position between the centers of pixels.
  func color(at point: SIMD2<Double>) -> SIMD3<Float> {
    let x = min(max(point.x - 0.5, 0), Double(width - 1))
    let y = min(max(point.y - 0.5, 0), Double(height - 1))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (u, v) = (Float(x - Double(left)), Float(y - Double(top)))
    let above = colors[top * width + left] * (1 - u) + colors[top * width + right] * u
    let below = colors[bottom * width + left] * (1 - u) + colors[bottom * width + right] * u
    return above * (1 - v) + below * v
  }
}

/// Smooth noise with a mean of 0 and a standard deviation of about 1.
struct Clouds {
  private let values: [Float]
  private let columns, rows: Int
  private let spacing: Double

  init(width: Int, height: Int, spacing: Double, _ random: inout RandomState) {
    columns = Int(Double(width) / spacing) + 2
    rows = Int(Double(height) / spacing) + 2
    self.spacing = spacing
    values = (0..<columns * rows).map { _ in random.normal() }
  }

  subscript(x: Double, y: Double) -> Float {
    let (x, y) = (max(0, x / spacing), max(0, y / spacing))
    let (left, top) = (min(Int(x), columns - 2), min(Int(y), rows - 2))
    let (u, v) = (Float(x - Double(left)), Float(y - Double(top)))
    let index = top * columns + left
    let above = values[index] * (1 - u) + values[index + 1] * u
    let below = values[index + columns] * (1 - u) + values[index + columns + 1] * u
    return above * (1 - v) + below * v
  }
}

extension RandomState {
  /// A number that is nearly normally distributed, with mean 0 and standard deviation 1.
  mutating func normal() -> Float {
    var sum: Float = -2
    for _ in 0..<2 {
      let word = word()
      sum += Float(word & 0xFFFF) / 65536 + Float(word >> 16) / 65536
    }
    return sum * 1.732
  }
}
