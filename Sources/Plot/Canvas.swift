/// A bitmap to draw on, initially white.
package struct Canvas: Surface {
  package private(set) var bitmap: Bitmap
  /// The clip rectangle: initially the whole canvas.
  package var clip: Rectangle {
    didSet { clip = clip.intersection(bounds) }
  }
  package var opacity = 1.0

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
  package mutating func fill(_ rectangle: Rectangle, with color: Color) {
    let visible = rectangle.intersection(clip)
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX { blend(color, x: x, y: y, coverage: 255) }
    }
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
          let i = (y * bitmap.width + x) * 3 + channel
          let value = (sum + count / 2) / count
          bitmap.bytes[i] = blended(value, over: bitmap.bytes[i], coverage: share(of: 255))
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
    let coverage = share(of: coverage)
    for (channel, value) in [color.red, color.green, color.blue].enumerated() {
      bitmap.bytes[i + channel] = blended(
        Int(value), over: bitmap.bytes[i + channel], coverage: coverage)
    }
  }

  /// The coverage by something that is not opaque.
  private func share(of coverage: Int) -> Int {
    opacity == 1 ? coverage : Int((Double(coverage) * opacity).rounded())
  }

  private func blended(_ value: Int, over below: UInt8, coverage: Int) -> UInt8 {
    UInt8((Int(below) * (255 - coverage) + value * coverage + 127) / 255)
  }
}

extension Canvas {
  /// Draws lines, antialiased, with round joins and caps.
  ///
  /// A line is not darker where it crosses itself: the coverage of a pixel is the maximum over the
  /// segments. Neither are transparent lines where they cross each other.
  package mutating func stroke(
    _ paths: [[Point]], width: Double, color: Color, dashes pattern: [Double] = []
  ) {
    let lines = paths.flatMap { path -> [[[Point]]] in
      let parts = path.parts(near: clip, width: width)
      guard !pattern.isEmpty else { return [parts] }
      return parts.flatMap { part in
        part.dashes(pattern.map { $0 * width }, width: width).map { [$0] }
      }
    }
    if opacity < 1 {
      strokeAsOne(lines.flatMap(\.self), width: width, color: color)
    } else {
      for line in lines { strokeAsOne(line, width: width, color: color) }
    }
  }

  /// Draws one line; see ``stroke(_:width:color:dashes:)``.
  package mutating func stroke(
    _ path: [Point], width: Double, color: Color, dashes: [Double] = []
  ) {
    stroke([path], width: width, color: color, dashes: dashes)
  }

  /// Draws lines as if they were one.
  private mutating func strokeAsOne(_ paths: [[Point]], width: Double, color: Color) {
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

  /// Fills polygons of any shape, antialiased: a pixel is as dark as the share of it that they cover.
  package mutating func fill(areas: [[Point]], color: Color) {
    let areas = areas.map { $0.clipped(to: clip) }
    guard let box = areas.flatMap(\.self).bounds(reach: 0)?.intersection(clip), !box.isEmpty else {
      return
    }
    var sum = AreaSum(box)
    for area in areas {
      for (start, end) in zip(area, area.dropFirst() + area.prefix(1)) {
        sum.add(from: start, to: end)
      }
    }
    draw(Glyph(frame: box, coverage: sum.coverage), color: color)
  }
}

/// The area that polygons cover of each pixel of a box, from their edges.
///
/// An edge covers what is to its right, with the sign of its direction; where polygons end, the signs
/// cancel out. Each row stores differences between neighbors.
private struct AreaSum {
  let box: Rectangle
  private var differences: [Double]

  init(_ box: Rectangle) {
    self.box = box
    differences = [Double](repeating: 0, count: (box.width + 2) * box.height)
  }

  mutating func add(from start: Point, to end: Point) {
    // The edge is cut where it enters another row or column of pixels.
    var shares = [0.0, 1]
    for (from, to) in [(start.x, end.x), (start.y, end.y)] where from != to {
      let (low, high) = (min(from, to), max(from, to))
      shares += stride(from: low.rounded(.up), through: high, by: 1).map {
        ($0 - from) / (to - from)
      }
    }
    shares.sort()
    for (first, second) in zip(shares, shares.dropFirst()) {
      let (a, b) = (start.moved(by: first, towards: end), start.moved(by: second, towards: end))
      let middle = a.moved(by: 0.5, towards: b)
      let column = min(max(Int(middle.x.rounded(.down)) - box.x, 0), box.width)
      let row = Int(middle.y.rounded(.down)) - box.y
      guard (0..<box.height).contains(row) else { continue }
      let index = row * (box.width + 2) + column
      let left = min(max(middle.x - Double(box.x + column), 0), 1)
      differences[index] += (b.y - a.y) * (1 - left)
      differences[index + 1] += (b.y - a.y) * left
    }
  }

  var coverage: [UInt8] {
    var coverage: [UInt8] = []
    coverage.reserveCapacity(box.width * box.height)
    for row in 0..<box.height {
      var sum = 0.0
      for column in 0..<box.width {
        sum += differences[row * (box.width + 2) + column]
        coverage.append(UInt8((min(abs(sum), 1) * 255).rounded()))
      }
    }
    return coverage
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

  /// The part of a polygon in a rectangle, by Sutherland's and Hodgman's method.
  func clipped(to box: Rectangle) -> [Point] {
    // Differences of larger numbers have no digits left for a pixel.
    func limited(_ value: Double) -> Double { Swift.min(Swift.max(value, -1e9), 1e9) }
    var polygon = map { Point(x: limited($0.x), y: limited($0.y)) }
    let (left, right) = (Double(box.x), Double(box.maxX))
    let (top, bottom) = (Double(box.y), Double(box.maxY))
    let sides: [(Point) -> Double] = [
      { $0.x - left }, { right - $0.x }, { $0.y - top }, { bottom - $0.y },
    ]
    for inside in sides {
      polygon = zip(polygon, polygon.dropFirst() + polygon.prefix(1)).flatMap { start, end in
        let (from, to) = (inside(start), inside(end))
        var points = from >= 0 ? [start] : []
        if from * to < 0 { points.append(start.moved(by: from / (from - to), towards: end)) }
        return points
      }
    }
    return polygon
  }

  /// The parts of the line that are not far outside a rectangle.
  ///
  /// A line to a point very far away would take forever to divide into dashes, and distances to it
  /// overflow. Where nothing is far away, the line is returned unchanged.
  func parts(near box: Rectangle, width: Double) -> [[Point]] {
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
