extension Canvas {
  /// Draws a line through points, with smooth edges and round joins and ends.
  ///
  /// Where the line crosses itself it is not darker: a pixel's share of ink is the largest that any
  /// part of the line gives it.
  ///
  /// - Parameters:
  ///   - path: The points; a single one gives a dot.
  ///   - width: How wide the line is, in pixels.
  ///   - color: Its colour.
  package mutating func stroke(_ path: [Point], width: Double, color: Color) {
    let reach = width / 2 + 1
    guard let box = path.bounds(reach: reach)?.intersection(clip), !box.isEmpty else { return }
    var ink = Glyph(
      frame: box, coverage: [UInt8](repeating: 0, count: box.width * box.height))
    for (i, end) in path.enumerated() where i > 0 || path.count == 1 {
      let start = path[max(0, i - 1)]
      guard let part = [start, end].bounds(reach: reach)?.intersection(box) else { continue }
      for y in part.y..<part.maxY {
        for x in part.x..<part.maxX {
          let centre = Point(x: Double(x) + 0.5, y: Double(y) + 0.5)
          let inside = width / 2 + 0.5 - centre.distance(toLineFrom: start, to: end)
          // A line that is thinner than a pixel is paler instead.
          let share = min(max(inside, 0), min(1, width))
          let place = (y - box.y) * box.width + x - box.x
          ink.coverage[place] = max(ink.coverage[place], UInt8((share * 255).rounded()))
        }
      }
    }
    draw(ink, color: color)
  }

  /// Draws a line of dashes.
  ///
  /// - Parameter pattern: How long a dash and the gap after it are, in turn, in widths of the line.
  package mutating func stroke(
    _ path: [Point], width: Double, color: Color, dashes pattern: [Double]
  ) {
    guard !pattern.isEmpty else { return stroke(path, width: width, color: color) }
    for dash in path.dashes(pattern.map { $0 * width }, width: width) {
      stroke(dash, width: width, color: color)
    }
  }
}

extension [Point] {
  /// The pixels within some distance of the points' frame.
  fileprivate func bounds(reach: Double) -> Rectangle? {
    guard let first else { return nil }
    var (low, high) = (first, first)
    for point in self {
      low = Point(x: Swift.min(low.x, point.x), y: Swift.min(low.y, point.y))
      high = Point(x: Swift.max(high.x, point.x), y: Swift.max(high.y, point.y))
    }
    // Points far outside of what can be seen do not fit an Int.
    func pixel(_ value: Double) -> Int { Int(Swift.min(Swift.max(value, -1e6), 1e6)) }
    let (x, y) = (pixel((low.x - reach).rounded(.down)), pixel((low.y - reach).rounded(.down)))
    return Rectangle(
      x: x, y: y, width: pixel((high.x + reach).rounded(.up)) - x,
      height: pixel((high.y + reach).rounded(.up)) - y)
  }

  /// The pieces of the line that dashes cover, each shorter by its round ends.
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
