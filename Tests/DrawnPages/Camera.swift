import Foundation
import ImageFiles
import LabRandom

/// A camera above a sheet: where each point of the sheet is in the photograph.
struct Camera: Sendable {
  private(set) var width = 0, height = 0
  private let sheet: (width: Double, height: Double)
  /// The middle of the photograph.
  private var center = SIMD2<Double>.zero
  private let rotation: Double
  /// The change of the distance with the position on the sheet.
  private let tilt: SIMD2<Double>
  private let bend: Double

  init(_ style: PageStyle, sheet: (Double, Double)) {
    self.sheet = sheet
    rotation = style.rotation * .pi / 180
    tilt = [style.perspective.x / sheet.0, style.perspective.y / sheet.1]
    bend = style.bend * style.lineHeight
    let corners = [(0.0, 0.0), (1, 0), (0, 1), (1, 1)].map { ($0.0 * sheet.0, $0.1 * sheet.1) }
    let seen = corners.map { pixel(of: [$0.0, $0.1]) }
    let xs = seen.map(\.x).sorted()
    let ys = seen.map(\.y).sorted()
    // With a table the whole sheet is seen, otherwise only paper.
    let border = style.table == nil ? 0 : 0.7 * style.lineHeight
    let (left, right) =
      style.table == nil ? (xs[1], xs[2]) : (xs[0] - border, xs[3] + border)
    let (top, bottom) =
      style.table == nil ? (ys[1], ys[2]) : (ys[0] - border, ys[3] + border)
    (width, height) = (Int(right - left), Int(bottom - top))
    center = [-left, -top]
  }

  /// The position in the photograph of a position on the sheet.
  func pixel(of point: SIMD2<Double>) -> SIMD2<Double> {
    var q = point - SIMD2(sheet.width, sheet.height) / 2
    q.y += sag(q.x)
    let far = 1 - (tilt * q).sum()
    let turned = SIMD2(
      q.x * cos(rotation) + q.y * sin(rotation), q.y * cos(rotation) - q.x * sin(rotation))
    return turned / far + center
  }

  /// The position on the sheet of a position in the photograph.
  func point(at pixel: SIMD2<Double>) -> SIMD2<Double> {
    // p (1 − t·q) = R q, hence (R + p tᵀ) q = p.
    let p = pixel - center
    let (a, b) = (cos(rotation) + p.x * tilt.x, sin(rotation) + p.x * tilt.y)
    let (c, d) = (-sin(rotation) + p.y * tilt.x, cos(rotation) + p.y * tilt.y)
    let determinant = a * d - b * c
    var q = SIMD2(d * p.x - b * p.y, a * p.y - c * p.x) / determinant
    q.y -= sag(q.x)
    return q + SIMD2(sheet.width, sheet.height) / 2
  }

  /// How far the paper sags at a distance from its middle.
  private func sag(_ x: Double) -> Double {
    let share = 2 * x / sheet.width
    return bend * (1 - share * share)
  }

  func photograph(_ sheet: Sheet, _ style: PageStyle, _ random: inout RandomState) -> FileImage {
    let wood = Clouds(width: 8 * width, height: height, spacing: 12, &random)
    let cut = random.uniform(0.35, 0.65)
    let steep = random.uniform(-0.4, 0.4)
    var light = [Float](repeating: 0, count: width * height)
    var colors = [SIMD3<Float>](repeating: .zero, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let point = point(at: [Double(x) + 0.5, Double(y) + 0.5])
        let outside = max(
          -point.x, point.x - Double(sheet.width), -point.y, point.y - Double(sheet.height))
        let index = y * width + x
        var color = sheet.color(at: point)
        if let table = style.table, outside > -0.5 {
          // Wood has grain; beside the sheet there is a shadow.
          let grain = wood[Double(x) / 12, Double(y)] * 0.12
          let shadow = 1 - 0.5 * exp(-Float(outside) / 8)
          let share = Float(min(1, outside + 0.5))
          color += (table * (1 + grain) * shadow - color) * share
        }
        colors[index] = color
        light[index] = brightness(x, y, style, cut: cut, steep: steep)
      }
    }
    for index in colors.indices { colors[index] *= light[index] }
    colors = blurred(colors, width: width, height: height, style.blur)
    for index in colors.indices {
      // Sensors' noise is mostly one of brightness.
      let common = random.normal()
      colors[index] +=
        style.noise * (common + 0.3 * SIMD3(random.normal(), random.normal(), random.normal()))
    }
    let picture = Picture(width: width, height: height, colors: colors)
    return style.quality > 0 ? picture.compressed(quality: style.quality).file : picture.file
  }

  private func brightness(
    _ x: Int, _ y: Int, _ style: PageStyle, cut: Double, steep: Double
  ) -> Float {
    let (u, v) = (Double(x) / Double(width) - 0.5, Double(y) / Double(height) - 0.5)
    let angle = style.fall.direction * .pi / 180
    let along = Float(u * cos(angle) + v * sin(angle))
    var light = 1 - style.fall.amount * (0.5 + along)
    light *= 1 - style.vignetting * Float(2 * (u * u + v * v))
    if case .edge(let dark, let softness) = style.shadow {
      let distance = u + 0.5 - cut + steep * v
      let share = Float(min(max(distance / max(softness, 1e-3) + 0.5, 0), 1))
      light *= 1 - (1 - dark) * share * share * (3 - 2 * share)
    }
    return light
  }
}

/// The colors after a Gaussian filter.
private func blurred(
  _ colors: [SIMD3<Float>], width: Int, height: Int, _ deviation: Double
) -> [SIMD3<Float>] {
  guard deviation > 0.1 else { return colors }
  let reach = Int((3 * deviation).rounded(.up))
  let weights = (-reach...reach).map { Float(exp(-Double($0 * $0) / (2 * deviation * deviation))) }
  let sum = weights.reduce(0, +)
  var (across, result) = (colors, colors)
  for y in 0..<height {
    for x in 0..<width {
      var color = SIMD3<Float>.zero
      for (offset, weight) in zip(-reach...reach, weights) {
        color += colors[y * width + min(max(x + offset, 0), width - 1)] * (weight / sum)
      }
      across[y * width + x] = color
    }
  }
  for y in 0..<height {
    for x in 0..<width {
      var color = SIMD3<Float>.zero
      for (offset, weight) in zip(-reach...reach, weights) {
        color += across[min(max(y + offset, 0), height - 1) * width + x] * (weight / sum)
      }
      result[y * width + x] = color
    }
  }
  return result
}
