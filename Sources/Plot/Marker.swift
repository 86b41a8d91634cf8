import Foundation

/// The symbol at each point of a line, like matplotlib's `marker`.
public enum Marker: Sendable, CaseIterable {
  case none
  /// Matplotlib's `o`.
  case circle
  /// Matplotlib's `s`.
  case square
  /// Matplotlib's `x`.
  case cross
  /// A small disk, matplotlib's `.`.
  case point
  /// Matplotlib's `+`.
  case plus
  /// Matplotlib's `^`.
  case triangleUp
  /// Matplotlib's `v`.
  case triangleDown
  /// Matplotlib's `<`.
  case triangleLeft
  /// Matplotlib's `>`.
  case triangleRight
  /// Matplotlib's `D`.
  case diamond
  /// Matplotlib's `p`.
  case pentagon
  /// Matplotlib's `h`.
  case hexagon
  /// Matplotlib's `*`.
  case star

  /// Draws the symbol.
  ///
  /// - Parameters:
  ///   - point: Its middle.
  ///   - size: Its width in pixels.
  ///   - line: The width of lines in pixels.
  func draw(
    at point: Point, size: Double, line: Double, color: Color, on surface: inout some Surface
  ) {
    guard abs(point.x) < 1e6 && abs(point.y) < 1e6 else { return }
    let reach = size / 2
    switch self {
    case .none: break
    case .circle: surface.stroke([point], width: 2 * reach, color: color)
    case .point: surface.stroke([point], width: reach, color: color)
    case .square:
      let (left, top) = (Int((point.x - reach).rounded()), Int((point.y - reach).rounded()))
      let side = Int((2 * reach).rounded())
      surface.fill(Rectangle(x: left, y: top, width: side, height: side), with: color)
    case .cross, .plus:
      let arms = self == .cross ? [(1.0, -1.0), (1, 1)] : [(1, 0), (0, 1)]
      let paths = arms.map { x, y in
        [-reach, reach].map { Point(x: point.x + $0 * x, y: point.y + $0 * y) }
      }
      surface.stroke(paths, width: line, color: color, dashes: [])
    default:
      let corners = corners.map { Point(x: point.x + reach * $0.x, y: point.y - reach * $0.y) }
      surface.fill(areas: [corners], color: color)
    }
  }

  /// The corners of a polygon around (0, 0) with y upwards, for a reach of 1.
  private var corners: [(x: Double, y: Double)] {
    /// The corners of a regular polygon, or of a star.
    func around(_ count: Int, inner: Double = 1) -> [(x: Double, y: Double)] {
      (0..<count).map { index in
        let angle = Double.pi * (0.5 + 2 * Double(index) / Double(count))
        let radius = index % 2 == 0 ? 1 : inner
        return (radius * cos(angle), radius * sin(angle))
      }
    }
    switch self {
    case .triangleUp: return [(0, 1), (-1, -1), (1, -1)]
    case .triangleDown: return [(0, -1), (1, 1), (-1, 1)]
    case .triangleLeft: return [(-1, 0), (1, -1), (1, 1)]
    case .triangleRight: return [(1, 0), (-1, 1), (-1, -1)]
    case .diamond:
      // A square of the same size, on its corner.
      let half = 2.0.squareRoot()
      return [(0, half), (-half, 0), (0, -half), (half, 0)]
    case .pentagon: return around(5)
    case .hexagon: return around(6)
    // The ratio at which opposite edges are in line.
    case .star: return around(10, inner: (3 - 5.0.squareRoot()) / 2)
    case .none, .circle, .square, .cross, .point, .plus: return []
    }
  }
}
