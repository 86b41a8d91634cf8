import Foundation
import LabRandom
import LabTensors

/// Turns, shifts, scales and shears each image a little, at random, about its centre, as if there
/// were more writers than there are.
///
/// Angles and shifts are those that torchvision's `RandomAffine` draws; pixels are interpolated
/// between the four around the point that they come from.
///
/// ```swift
/// let data = try EMNIST(DataOptions(augmentation: RandomAffine(degrees: 10, translate: 0.1)))
/// ```
public struct RandomAffine: Equatable, Sendable {
  /// The largest angle, either way, in degrees.
  public var degrees: Double
  /// The largest shift, either way, across and down, as a share of the image's size; whole pixels.
  public var translate: Double
  /// The smallest and the largest factor.
  public var scale: ClosedRange<Double>
  /// The largest angle, either way, by which upright lines lean, in degrees.
  public var shear: Double

  /// What suits handwritten characters: such changes leave all of them what they are.
  public static let handwriting = RandomAffine(
    degrees: 10, translate: 0.08, scale: 0.9...1.1, shear: 10)

  /// - Parameters:
  ///   - degrees: The largest angle, either way.
  ///   - translate: The largest shift, either way, as a share of the image's size.
  ///   - scale: The smallest and the largest factor.
  ///   - shear: The largest angle, either way, by which upright lines lean.
  public init(
    degrees: Double = 0, translate: Double = 0, scale: ClosedRange<Double> = 1...1,
    shear: Double = 0
  ) {
    self.degrees = degrees
    self.translate = translate
    self.scale = scale
    self.shear = shear
  }

  /// What runs may differ in, for TensorBoard.
  package var hyperparameters: [String: String] {
    [
      "degrees": "\(degrees)", "translate": "\(translate)",
      "scale": "\(scale.lowerBound),\(scale.upperBound)", "shear": "\(shear)",
    ]
  }

  /// Images with a change of its own for each of them.
  ///
  /// - Parameters:
  ///   - x: Images × channels × rows × columns.
  ///   - background: What is outside of an image.
  ///   - generator: Where the changes come from.
  /// - Complexity: O(elements of x)
  public func callAsFunction(_ x: Tensor, background: Float, generator: Generator) -> Tensor {
    let (height, width) = (x.shape[2], x.shape[3])
    let maps = (0..<x.shape[0]).map { _ in
      draw(width: width, height: height, generator).inverse
    }
    let source = x.elements
    let plane = height * width
    return Tensor(shape: x.shape) { result in
      for (image, map) in maps.enumerated() {
        for channel in image * x.shape[1]..<(image + 1) * x.shape[1] {
          map.sample(
            source[channel * plane..<(channel + 1) * plane], width: width, height: height,
            background: background
          ) { result[channel * plane + $0] = $1 }
        }
      }
    }
  }

  /// One image's change. Each number that may differ takes one draw, in torchvision's order.
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

/// A rotation clockwise, a shift in pixels, a factor, and a shear in degrees, about the centre.
package struct AffineChange: Sendable {
  var degrees, right, down, scale, shear: Double

  package init(
    degrees: Double = 0, right: Double = 0, down: Double = 0, scale: Double = 1, shear: Double = 0
  ) {
    (self.degrees, self.right, self.down) = (degrees, right, down)
    (self.scale, self.shear) = (scale, shear)
  }

  /// Where a changed pixel comes from.
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

/// `(xx · column + xy · row + x, yx · column + yy · row + y)`, counted from an image's centre.
package struct AffineMap {
  let xx, xy, x, yx, yy, y: Float

  /// Calls `write` with the place of each pixel and what is there after the change, interpolated
  /// between the four pixels around the point that it comes from.
  package func sample(
    _ pixels: ArraySlice<Float>, width: Int, height: Int, background: Float,
    write: (Int, Float) -> Void
  ) {
    let (centerX, centerY) = (Float(width - 1) / 2, Float(height - 1) / 2)
    pixels.withUnsafeBufferPointer { pixels in
      func pixel(_ column: Int, _ row: Int) -> Float {
        (0..<width).contains(column) && (0..<height).contains(row)
          ? pixels[row * width + column] : background
      }
      for row in 0..<height {
        for column in 0..<width {
          let (dx, dy) = (Float(column) - centerX, Float(row) - centerY)
          let sourceX = xx * dx + xy * dy + x + centerX
          let sourceY = yx * dx + yy * dy + y + centerY
          let (left, top) = (sourceX.rounded(.down), sourceY.rounded(.down))
          let (right, bottom) = (sourceX - left, sourceY - top)
          let (c, r) = (Int(left), Int(top))
          let upper = pixel(c, r) * (1 - right) + pixel(c + 1, r) * right
          let lower = pixel(c, r + 1) * (1 - right) + pixel(c + 1, r + 1) * right
          write(row * width + column, upper * (1 - bottom) + lower * bottom)
        }
      }
    }
  }
}
