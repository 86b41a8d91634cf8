/// A bitmap to draw on, initially white.
package struct Canvas {
  package private(set) var bitmap: Bitmap
  /// The clip rectangle: initially the whole canvas.
  package var clip: Rectangle {
    didSet { clip = clip.intersection(bounds) }
  }

  package init(width: Int, height: Int) {
    clip = Rectangle(x: 0, y: 0, width: width, height: height)
    bitmap = Bitmap(
      width: width, height: height, channels: 3,
      bytes: [UInt8](repeating: 255, count: width * height * 3))
  }

  package var bounds: Rectangle {
    Rectangle(x: 0, y: 0, width: bitmap.width, height: bitmap.height)
  }

  /// Fills the visible part of a rectangle.
  ///
  /// - Parameter opacity: From 0 (transparent) to 1 (opaque).
  package mutating func fill(_ rectangle: Rectangle, with color: Color, opacity: Double = 1) {
    let visible = rectangle.intersection(clip)
    let coverage = Int((opacity * 255).rounded())
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX { blend(color, x: x, y: y, coverage: coverage) }
    }
  }

  /// Draws the outline of a rectangle, just outside it.
  package mutating func outline(_ rectangle: Rectangle, width: Int, color: Color) {
    let (x, y) = (rectangle.x - width, rectangle.y - width)
    let w = rectangle.width + 2 * width
    for edge in [
      Rectangle(x: x, y: y, width: w, height: width),
      Rectangle(x: x, y: rectangle.maxY, width: w, height: width),
      Rectangle(x: x, y: rectangle.y, width: width, height: rectangle.height),
      Rectangle(x: rectangle.maxX, y: rectangle.y, width: width, height: rectangle.height),
    ] { fill(edge, with: color) }
  }

  /// Draws a glyph with its origin, the start of the baseline, at (x, y).
  package mutating func draw(_ glyph: Glyph, x: Int = 0, y: Int = 0, color: Color) {
    let frame = glyph.moved(x: x, y: y).frame
    let visible = frame.intersection(clip)
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX {
        let coverage = glyph.coverage[(y - frame.y) * frame.width + x - frame.x]
        blend(color, x: x, y: y, coverage: Int(coverage))
      }
    }
  }

  /// Draws a picture scaled to a frame.
  ///
  /// Enlarging repeats pixels (nearest neighbor). Shrinking averages the pixels that fall onto one,
  /// because picking one of them would lose thin strokes.
  package mutating func draw(_ picture: Bitmap, in frame: Rectangle) {
    let visible = frame.intersection(clip)
    for y in visible.y..<visible.maxY {
      let rows = sources(of: y - frame.y, count: picture.height, targets: frame.height)
      for x in visible.x..<visible.maxX {
        let columns = sources(of: x - frame.x, count: picture.width, targets: frame.width)
        for channel in 0..<3 {
          var sum = 0
          for row in rows {
            for column in columns {
              let i = (row * picture.width + column) * picture.channels
              sum += Int(picture.bytes[i + min(channel, picture.channels - 1)])
            }
          }
          let count = rows.count * columns.count
          bitmap.bytes[(y * bitmap.width + x) * 3 + channel] = UInt8((sum + count / 2) / count)
        }
      }
    }
  }

  /// The range of the `count` source pixels that map to one of `targets` target pixels.
  private func sources(of target: Int, count: Int, targets: Int) -> Range<Int> {
    let first = target * count / targets
    return first..<max(first + 1, (target + 1) * count / targets)
  }

  /// The amount of ink in a rectangle: the sum over its pixels, where white is 0 and black is 1.
  package func ink(in rectangle: Rectangle) -> Double {
    let visible = rectangle.intersection(bounds)
    var sum = 0
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX {
        let i = (y * bitmap.width + x) * 3
        sum += 255 - Int(bitmap.bytes[i..<i + 3].min() ?? 255)
      }
    }
    return Double(sum) / 255
  }

  private mutating func blend(_ color: Color, x: Int, y: Int, coverage: Int) {
    let i = (y * bitmap.width + x) * 3
    for (channel, value) in [color.red, color.green, color.blue].enumerated() {
      let below = Int(bitmap.bytes[i + channel])
      bitmap.bytes[i + channel] = UInt8(
        (below * (255 - coverage) + Int(value) * coverage + 127) / 255)
    }
  }
}

extension Canvas {
  /// Draws a polyline, antialiased, with round joins and caps.
  ///
  /// The line is not darker where it crosses itself: the coverage of a pixel is the maximum over the
  /// segments.
  ///
  /// - Parameters:
  ///   - path: The points; a single point gives a dot.
  ///   - width: The width of the line in pixels.
  ///   - color: The color of the line.
  package mutating func stroke(_ path: [Point], width: Double, color: Color) {
    stroke(path.parts(near: clip, width: width), width: width, color: color)
  }

  /// Draws lines as if they were one.
  private mutating func stroke(_ paths: [[Point]], width: Double, color: Color) {
    let reach = width / 2 + 1
    guard let box = paths.flatMap(\.self).bounds(reach: reach)?.intersection(clip), !box.isEmpty
    else { return }
    var ink = Glyph(
      frame: box, coverage: [UInt8](repeating: 0, count: box.width * box.height))
    for path in paths {
      for (i, end) in path.enumerated() where i > 0 || path.count == 1 {
        let start = path[max(0, i - 1)]
        guard let part = [start, end].bounds(reach: reach)?.intersection(box) else { continue }
        for y in part.y..<part.maxY {
          for x in part.x..<part.maxX {
            let center = Point(x: Double(x) + 0.5, y: Double(y) + 0.5)
            let inside = width / 2 + 0.5 - center.distance(toLineFrom: start, to: end)
            // A line thinner than a pixel is drawn paler.
            let share = min(max(inside, 0), min(1, width))
            let index = (y - box.y) * box.width + x - box.x
            ink.coverage[index] = max(ink.coverage[index], UInt8((share * 255).rounded()))
          }
        }
      }
    }
    draw(ink, color: color)
  }

  /// Fills a convex polygon, antialiased.
  ///
  /// - Parameters:
  ///   - polygon: The corners in order. A single point gives a disk.
  ///   - rounding: The distance by which the polygon is enlarged, with round corners, in pixels.
  ///   - color: The color.
  package mutating func fill(_ polygon: [Point], rounding: Double = 0, color: Color) {
    guard let box = polygon.bounds(reach: rounding + 1)?.intersection(clip), !box.isEmpty
    else { return }
    var ink = Glyph(frame: box, coverage: [UInt8](repeating: 0, count: box.width * box.height))
    for y in box.y..<box.maxY {
      for x in box.x..<box.maxX {
        let center = Point(x: Double(x) + 0.5, y: Double(y) + 0.5)
        let share = min(max(rounding + 0.5 - polygon.signedDistance(of: center), 0), 1)
        ink.coverage[(y - box.y) * box.width + x - box.x] = UInt8((share * 255).rounded())
      }
    }
    draw(ink, color: color)
  }

  /// Draws a dashed line.
  ///
  /// - Parameter pattern: The lengths of dashes and gaps in turn, in line widths.
  package mutating func stroke(
    _ path: [Point], width: Double, color: Color, dashes pattern: [Double]
  ) {
    guard !pattern.isEmpty else { return stroke(path, width: width, color: color) }
    for part in path.parts(near: clip, width: width) {
      for dash in part.dashes(pattern.map { $0 * width }, width: width) {
        stroke(dash, width: width, color: color)
      }
    }
  }
}

extension [Point] {
  /// The pixels within the distance `reach` of the bounding box.
  fileprivate func bounds(reach: Double) -> Rectangle? {
    guard let first else { return nil }
    var (low, high) = (first, first)
    for point in self {
      low = Point(x: Swift.min(low.x, point.x), y: Swift.min(low.y, point.y))
      high = Point(x: Swift.max(high.x, point.x), y: Swift.max(high.y, point.y))
    }
    // Points far outside the canvas do not fit an Int.
    func pixel(_ value: Double) -> Int { Int(clamping: Swift.min(Swift.max(value, -1e6), 1e6)) }
    let (x, y) = (pixel((low.x - reach).rounded(.down)), pixel((low.y - reach).rounded(.down)))
    return Rectangle(
      x: x, y: y, width: pixel((high.x + reach).rounded(.up)) - x,
      height: pixel((high.y + reach).rounded(.up)) - y)
  }

  /// The distance of a point from this convex polygon; negative inside.
  fileprivate func signedDistance(of point: Point) -> Double {
    let edges = zip(self, dropFirst() + prefix(1))
    let nearest = edges.lazy.map { point.distance(toLineFrom: $0, to: $1) }.min() ?? .infinity
    // Inside is the same side of all edges. A polygon without area has no inside.
    let sides = edges.lazy.map {
      ($1.x - $0.x) * (point.y - $0.y) - ($1.y - $0.y) * (point.x - $0.x)
    }
    let (low, high) = (sides.min() ?? 0, sides.max() ?? 0)
    return low >= 0 && high > 0 || high <= 0 && low < 0 ? -nearest : nearest
  }

  /// The parts of the line that are not far outside a rectangle.
  ///
  /// A line to a point very far away would take forever to divide into dashes, and distances to it
  /// overflow. Where nothing is far away, the line is returned unchanged.
  fileprivate func parts(near box: Rectangle, width: Double) -> [[Point]] {
    let reach = 10_000 + width
    let x = Double(box.x) - reach...Double(box.maxX) + reach
    let y = Double(box.y) - reach...Double(box.maxY) + reach
    if allSatisfy({ x.contains($0.x) && y.contains($0.y) }) { return [self] }
    guard count > 1 else { return [] }
    var parts: [[Point]] = []
    var part: [Point] = []
    for (from, to) in zip(self, dropFirst()) {
      guard let (start, end) = segment(from, to, in: x, y) else { continue }
      if part.last != start {
        if !part.isEmpty { parts.append(part) }
        part = [start]
      }
      part.append(end)
    }
    return part.isEmpty ? parts : parts + [part]
  }

  /// The dashes of the line, each shortened by its round caps.
  fileprivate func dashes(_ pattern: [Double], width: Double) -> [[Point]] {
    var dashes: [[Point]] = []
    var dash: [Point] = []
    var (index, left) = (0, pattern[0] - width)
    for (start, end) in zip(self, dropFirst()) {
      let length = start.distance(to: end)
      var done = 0.0
      if index % 2 == 0 { dash.append(start) }
      while length - done > left {
        done += left
        let point = start.moved(by: done / length, towards: end)
        dash.append(point)
        if index % 2 == 0 { dashes.append(dash) }
        dash = [point]
        index = (index + 1) % pattern.count
        left = Swift.max(0.1, pattern[index] + (index % 2 == 0 ? -width : width))
      }
      left -= length - done
      if index % 2 == 0 { dash.append(end) }
    }
    return index % 2 == 0 && !dash.isEmpty ? dashes + [dash] : dashes
  }
}

/// The part of a line segment in a rectangle, by Liang's and Barsky's method.
private func segment(
  _ from: Point, _ to: Point, in x: ClosedRange<Double>, _ y: ClosedRange<Double>
) -> (Point, Point)? {
  // Differences of larger numbers have no digits left for a pixel.
  func limited(_ value: Double) -> Double { min(max(value, -1e9), 1e9) }
  let (a, b) = (
    Point(x: limited(from.x), y: limited(from.y)), Point(x: limited(to.x), y: limited(to.y))
  )
  var (first, last) = (0.0, 1.0)
  for (start, step, bounds) in [(a.x, b.x - a.x, x), (a.y, b.y - a.y, y)] {
    // Also refuses NaN.
    guard step != 0 else {
      guard bounds.contains(start) else { return nil }
      continue
    }
    let ends = [(bounds.lowerBound - start) / step, (bounds.upperBound - start) / step]
    first = max(first, min(ends[0], ends[1]))
    last = min(last, max(ends[0], ends[1]))
    guard first <= last else { return nil }
  }
  return (
    first == 0 ? a : a.moved(by: first, towards: b), last == 1 ? b : a.moved(by: last, towards: b)
  )
}
