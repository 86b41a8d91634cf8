/// Where numbers are on the canvas.
struct Coordinates {
  /// The pixels inside of the axes' lines.
  let frame: Rectangle
  let x: ClosedRange<Double>
  let y: ClosedRange<Double>
  /// Whether numbers grow downwards, as categories do, for one reads from the top.
  let runsDown: Bool

  func x(of value: Double) -> Double {
    let share = (value - x.lowerBound) / (x.upperBound - x.lowerBound)
    return Double(frame.x) + share * Double(frame.width)
  }

  func y(of value: Double) -> Double {
    let share = (value - y.lowerBound) / (y.upperBound - y.lowerBound)
    return Double(frame.y) + (runsDown ? share : 1 - share) * Double(frame.height)
  }

  func point(_ x: Double, _ y: Double) -> Point { Point(x: self.x(of: x), y: self.y(of: y)) }

  /// The pixels between two corners, which may be outside of the frame.
  func rectangle(x: (Double, Double), y: (Double, Double)) -> Rectangle {
    func pixels(_ a: Double, _ b: Double, _ bounds: ClosedRange<Double>) -> (Int, Int) {
      let ends = [a, b].map { Int(min(max($0, bounds.lowerBound), bounds.upperBound).rounded()) }
      return (min(ends[0], ends[1]), max(ends[0], ends[1]))
    }
    let (left, right) = pixels(
      self.x(of: x.0), self.x(of: x.1), Double(frame.x) - 9...Double(frame.maxX) + 9)
    let (top, bottom) = pixels(
      self.y(of: y.0), self.y(of: y.1), Double(frame.y) - 9...Double(frame.maxY) + 9)
    return Rectangle(x: left, y: top, width: right - left, height: bottom - top)
  }
}
