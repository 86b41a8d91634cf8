/// A rectangle of pixels. (0, 0) is the upper left corner of the canvas; y grows downwards.
package struct Rectangle: Equatable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  package var maxX: Int { x + width }
  package var maxY: Int { y + height }
  package var isEmpty: Bool { width <= 0 || height <= 0 }

  func contains(_ point: Point) -> Bool {
    (Double(x)...Double(maxX)).contains(point.x) && (Double(y)...Double(maxY)).contains(point.y)
  }

  /// The pixels in both rectangles.
  package func intersection(_ other: Rectangle) -> Rectangle {
    let (left, top) = (max(x, other.x), max(y, other.y))
    return Rectangle(
      x: left, y: top, width: max(0, min(maxX, other.maxX) - left),
      height: max(0, min(maxY, other.maxY) - top))
  }

  /// The smallest rectangle around both; empty rectangles are ignored.
  package func union(_ other: Rectangle) -> Rectangle {
    if isEmpty { return other }
    if other.isEmpty { return self }
    let (left, top) = (min(x, other.x), min(y, other.y))
    return Rectangle(
      x: left, y: top, width: max(maxX, other.maxX) - left, height: max(maxY, other.maxY) - top)
  }
}

/// A point on the canvas, in pixels from the upper left corner.
package struct Point: Equatable, Sendable {
  package var x: Double
  package var y: Double

  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  /// The distance to the line segment from `a` to `b`.
  func distance(toLineFrom a: Point, to b: Point) -> Double {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let square = dx * dx + dy * dy
    let along = square > 0 ? ((x - a.x) * dx + (y - a.y) * dy) / square : 0
    let nearest = min(max(along, 0), 1)
    let (ex, ey) = (a.x + nearest * dx - x, a.y + nearest * dy - y)
    return (ex * ex + ey * ey).squareRoot()
  }

  func distance(to other: Point) -> Double { distance(toLineFrom: other, to: other) }

  /// The point at the fraction `share` of the way to another one.
  func moved(by share: Double, towards other: Point) -> Point {
    Point(x: x + share * (other.x - x), y: y + share * (other.y - y))
  }

  /// The nearest point at which a line of whole width has sharp edges.
  func snapped(toWidth width: Double) -> Point {
    let half = width.truncatingRemainder(dividingBy: 2) == 0 ? 0 : 0.5
    return Point(x: (x - half).rounded() + half, y: (y - half).rounded() + half)
  }
}

/// The mapping from data coordinates to the canvas.
struct Coordinates {
  /// The pixels inside the axes' lines.
  let frame: Rectangle
  let x: ClosedRange<Double>
  let y: ClosedRange<Double>
  /// Whether y grows downwards, as for categories, which are read from the top.
  let runsDown: Bool
  var xscale = AxisScale.linear
  var yscale = AxisScale.linear

  func x(of value: Double) -> Double {
    let share = share(of: value, in: x, xscale)
    return Double(frame.x) + share * Double(frame.width)
  }

  func y(of value: Double) -> Double {
    let share = share(of: value, in: y, yscale)
    return Double(frame.y) + (runsDown ? share : 1 - share) * Double(frame.height)
  }

  private func share(of value: Double, in range: ClosedRange<Double>, _ scale: AxisScale) -> Double
  {
    let (low, high) = (scale.position(of: range.lowerBound), scale.position(of: range.upperBound))
    return (scale.position(of: value) - low) / (high - low)
  }

  func point(_ x: Double, _ y: Double) -> Point { Point(x: self.x(of: x), y: self.y(of: y)) }

  /// The pixels between two corners, which may be outside the frame.
  func rectangle(x: (Double, Double), y: (Double, Double)) -> Rectangle {
    func pixels(_ a: Double, _ b: Double, _ bounds: ClosedRange<Double>) -> (Int, Int) {
      let ends = [a, b].map {
        Int(clamping: min(max($0, bounds.lowerBound), bounds.upperBound).rounded())
      }
      return (min(ends[0], ends[1]), max(ends[0], ends[1]))
    }
    let (left, right) = pixels(
      self.x(of: x.0), self.x(of: x.1), Double(frame.x) - 9...Double(frame.maxX) + 9)
    let (top, bottom) = pixels(
      self.y(of: y.0), self.y(of: y.1), Double(frame.y) - 9...Double(frame.maxY) + 9)
    return Rectangle(x: left, y: top, width: right - left, height: bottom - top)
  }
}
