/// A place on the canvas, in pixels from its upper left corner.
package struct Point: Equatable, Sendable {
  package var x: Double
  package var y: Double

  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  /// The distance to the nearest point of a straight line between two points.
  func distance(toLineFrom a: Point, to b: Point) -> Double {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let square = dx * dx + dy * dy
    let along = square > 0 ? ((x - a.x) * dx + (y - a.y) * dy) / square : 0
    let nearest = min(max(along, 0), 1)
    let (ex, ey) = (a.x + nearest * dx - x, a.y + nearest * dy - y)
    return (ex * ex + ey * ey).squareRoot()
  }

  func distance(to other: Point) -> Double { distance(toLineFrom: other, to: other) }

  /// The point that is a share of the way further towards another one.
  func moved(by share: Double, towards other: Point) -> Point {
    Point(x: x + share * (other.x - x), y: y + share * (other.y - y))
  }

  /// The nearest point on which a line of whole width has sharp edges.
  func snapped(toWidth width: Double) -> Point {
    let half = width.truncatingRemainder(dividingBy: 2) == 0 ? 0 : 0.5
    return Point(x: (x - half).rounded() + half, y: (y - half).rounded() + half)
  }
}
