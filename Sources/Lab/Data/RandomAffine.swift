import Foundation
import LabRandom
import LabTensors

/// Rotates, translates, scales and shears each image at random about its center, as torchvision's
/// `RandomAffine`.
///
/// ```swift
/// let data = try EMNIST(DataOptions(augmentation: RandomAffine(degrees: 10, translate: 0.1)))
/// ```
///
/// The random numbers are those of torchvision; pixels are interpolated bilinearly.
public struct RandomAffine: Augmentation, Equatable {
  /// The largest angle of rotation in either direction, in degrees.
  public var degrees: Double
  /// The largest translation in either direction, across and down, as a fraction of the image's
  /// size; it is rounded to whole pixels.
  public var translate: Double
  /// The smallest and the largest scale factor.
  public var scale: ClosedRange<Double>
  /// The largest angle of shear in either direction, in degrees.
  public var shear: Double

  /// Changes that leave handwritten characters recognizable.
  public static let handwriting = RandomAffine(
    degrees: 10, translate: 0.08, scale: 0.9...1.1, shear: 10)

  /// - Parameters:
  ///   - degrees: The largest angle of rotation in either direction, at least 0.
  ///   - translate: The largest translation as a fraction of the image's size, from 0 to 1.
  ///   - scale: The smallest and the largest scale factor, above 0.
  ///   - shear: The largest angle of shear in either direction, from 0 to below 90.
  public init(
    degrees: Double = 0, translate: Double = 0, scale: ClosedRange<Double> = 1...1,
    shear: Double = 0
  ) {
    self.degrees = degrees
    self.translate = translate
    self.scale = scale
    self.shear = shear
  }

  /// - Throws: ``DataError`` that names the value that is out of range.
  public func validate() throws {
    let complaint: String? =
      if !(degrees.isFinite && degrees >= 0) {
        "degrees of at least 0, got \(degrees)"
      } else if !(0...1).contains(translate) {
        "translate from 0 to 1, got \(translate)"
      } else if !(scale.lowerBound > 0 && scale.upperBound.isFinite) {
        "scale factors above 0, got \(scale.lowerBound) to \(scale.upperBound)"
      } else if !(0..<90).contains(shear) {
        "shear from 0 to below 90 degrees, got \(shear)"
      } else {
        nil
      }
    if let complaint { throw DataError(.unusable, "RandomAffine: expected \(complaint)") }
  }

  public var hyperparameters: [String: String] {
    [
      "degrees": "\(degrees)", "translate": "\(translate)",
      "scale": "\(scale.lowerBound),\(scale.upperBound)", "shear": "\(shear)",
    ]
  }

  /// Transforms each image differently.
  ///
  /// Values out of range do not trap: where they give no source pixel, the background shows.
  ///
  /// - Parameters:
  ///   - x: The images, of shape (images, channels, rows, columns).
  ///   - background: The value outside of an image.
  ///   - generator: The source of random numbers.
  /// - Complexity: O(elements of x)
  public func callAsFunction(_ x: Tensor, background: Float, generator: Generator) -> Tensor {
    self(x, rows: 0..<(x.shape.first ?? 0), background: background, generator: generator)
  }

  public func callAsFunction(
    _ x: Tensor, rows: Range<Int>, background: Float, generator: Generator
  ) -> Tensor {
    precondition(
      x.rank == 4,
      "RandomAffine: expected images of shape (images, channels, rows, columns), got \(x.shape)")
    let (height, width) = (x.shape[2], x.shape[3])
    let maps = (0..<x.shape[0]).map { _ in
      draw(width: width, height: height, generator).inverse
    }
    let source = x.rows(rows).elements
    let plane = height * width
    return Tensor(shape: [rows.count] + x.shape.dropFirst()) { result in
      for (image, map) in maps[rows].enumerated() {
        for channel in image * x.shape[1]..<(image + 1) * x.shape[1] {
          map.sample(
            source[channel * plane..<(channel + 1) * plane], width: width, height: height,
            background: background
          ) { result[channel * plane + $0] = $1 }
        }
      }
    }
  }

  /// The transformation of one image. Each number that may differ takes one draw, in torchvision's
  /// order.
  func draw(width: Int, height: Int, _ generator: Generator) -> AffineChange {
    func uniform(_ low: Double, _ high: Double) -> Double {
      Double(generator.uniform(count: 1, Float(low), Float(high))[0])
    }
    var change = AffineChange(degrees: uniform(-degrees, degrees))
    if translate > 0 {
      let (across, down) = (translate * Double(width), translate * Double(height))
      change.right = uniform(-across, across).rounded(.toNearestOrEven)
      change.down = uniform(-down, down).rounded(.toNearestOrEven)
    }
    if scale != 1...1 { change.scale = uniform(scale.lowerBound, scale.upperBound) }
    if shear > 0 { change.shear = uniform(-shear, shear) }
    return change
  }
}

/// A clockwise rotation in degrees, a translation in pixels, a scale factor and a shear in degrees,
/// about the center.
package struct AffineChange: Sendable {
  var degrees, right, down, scale, shear: Double

  package init(
    degrees: Double = 0, right: Double = 0, down: Double = 0, scale: Double = 1, shear: Double = 0
  ) {
    (self.degrees, self.right, self.down) = (degrees, right, down)
    (self.scale, self.shear) = (scale, shear)
  }

  /// The map from a pixel of the result to its source.
  package var inverse: AffineMap {
    let (turn, lean) = (degrees * .pi / 180, shear * .pi / 180)
    let (a, b) = (cos(turn), -cos(turn) * tan(lean) - sin(turn))
    let (c, d) = (sin(turn), -sin(turn) * tan(lean) + cos(turn))
    // The matrix (a b, c d) has the determinant 1.
    let (xx, xy, yx, yy) = (d / scale, -b / scale, -c / scale, a / scale)
    return AffineMap(
      xx: Float(xx), xy: Float(xy), x: Float(-xx * right - xy * down),
      yx: Float(yx), yy: Float(yy), y: Float(-yx * right - yy * down))
  }
}

/// `(xx · column + xy · row + x, yx · column + yy · row + y)`, relative to an image's center.
package struct AffineMap {
  let xx, xy, x, yx, yy, y: Float

  /// Calls `write` with the index and the new value of each pixel, interpolated between the four
  /// pixels around its source.
  package func sample(
    _ pixels: ArraySlice<Float>, width: Int, height: Int, background: Float,
    write: (Int, Float) -> Void
  ) {
    let (centerX, centerY) = (Float(width - 1) / 2, Float(height - 1) / 2)
    let span = pixels.span
    func pixel(_ pixels: Span<Float>, _ column: Int, _ row: Int) -> Float {
      (0..<width).contains(column) && (0..<height).contains(row)
        ? pixels[row * width + column] : background
    }
    for row in 0..<height {
      for column in 0..<width {
        let (dx, dy) = (Float(column) - centerX, Float(row) - centerY)
        let sourceX = xx * dx + xy * dy + x + centerX
        let sourceY = yx * dx + yy * dy + y + centerY
        // Far outside, or not a number: `Int` would trap.
        guard abs(sourceX) < 1e9, abs(sourceY) < 1e9 else {
          write(row * width + column, background)
          continue
        }
        let (left, top) = (sourceX.rounded(.down), sourceY.rounded(.down))
        let (right, bottom) = (sourceX - left, sourceY - top)
        let (c, r) = (Int(left), Int(top))
        let upper = pixel(span, c, r) * (1 - right) + pixel(span, c + 1, r) * right
        let lower = pixel(span, c, r + 1) * (1 - right) + pixel(span, c + 1, r + 1) * right
        write(row * width + column, upper * (1 - bottom) + lower * bottom)
      }
    }
  }
}
