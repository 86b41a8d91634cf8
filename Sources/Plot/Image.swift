/// A grayscale or RGB image of floating-point values.
///
/// ```swift
/// let digit = Image(width: 28, height: 28, values: x)                        // gray
/// let photo = Image(width: 640, height: 480, channels: 3, bytes: samples)    // RGB, 0…255
/// ```
///
/// Values are in row-major order from the top left; the three values of an RGB pixel are adjacent.
/// Black is 0 and white is 1. Grayscale images may have any range, which ``Axes/imshow(_:range:)``
/// rescales.
///
/// An image whose number of values is not height × width × channels is an error where it is drawn or
/// written.
public struct Image: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// 1 for grayscale, 3 for RGB.
  public let channels: Int
  /// The height × width × channels values.
  public let values: [Float]

  public init(width: Int, height: Int, channels: Int = 1, values: [Float]) {
    self.width = width
    self.height = height
    self.channels = channels
    self.values = values
  }

  /// Why the image cannot be drawn, in one line; `nil` if it can.
  var problem: String? {
    let (pixels, tooMany) = width.multipliedReportingOverflow(by: height)
    return Checks("Image")
      .expect([1, 3].contains(channels), "1 or 3 channels", got: "\(channels)")
      .expect(width > 0 && height > 0, "at least one pixel", got: "\(width) × \(height)")
      .expect(
        !tooMany && pixels <= largestPixelCount, "at most \(largestPixelCount) pixels",
        got: "\(width) × \(height)"
      )
      .expect(
        values.count == pixels * channels, "\(width) × \(height) × \(channels) values",
        got: "\(values.count)"
      )
      .problem
  }

  /// An image of bytes, scaled so that 255 becomes 1.
  public init(width: Int, height: Int, channels: Int = 1, bytes: [UInt8]) {
    self.init(
      width: width, height: height, channels: channels, values: bytes.map { Float($0) / 255 })
  }

  /// Reads a PNG or JPEG file of any kind, turned upright as its EXIF data say.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - channels: 1 to convert it to grayscale, 3 to RGB.
  ///   - background: The gray level behind transparent parts, from 0 (black) to 1 (white).
  /// - Throws: ``PlotError`` if the file cannot be read or is of another kind.
  public init(
    contentsOf path: String, channels: Int = 1, background: Float = 1
  ) throws(PlotError) {
    guard [1, 3].contains(channels) else {
      throw PlotError("Image: expected 1 or 3 channels, got \(channels)")
    }
    let bitmap = try decodeImage(
      readFile(path), named: path, channels: channels, background: byte(background * 255))
    self.init(width: bitmap.width, height: bitmap.height, channels: channels, bytes: bitmap.bytes)
  }
}

/// An image converted to bytes for display, with square pixels.
package struct ShownImage: Sendable {
  package let bitmap: Bitmap

  private static let largest = Float.greatestFiniteMagnitude / 4

  /// Converts values to gray levels like matplotlib's `imshow(cmap="gray")`.
  ///
  /// A value v becomes ⌊256 · (v − low) / (high − low)⌋, clamped to 0…255, where low and high are the
  /// image's minimum and maximum by default. A constant image is black; NaN and infinity are white.
  /// RGB values are not rescaled.
  package init(_ image: Image, range: ClosedRange<Float>? = nil) {
    let bytes: [UInt8]
    if image.channels == 3 {
      bytes = image.values.map { byte($0 * 255) }
    } else {
      let finite = image.values.filter(\.isFinite)
      // The difference of two finite numbers may be infinite.
      let low = max(range?.lowerBound ?? finite.min() ?? 0, -Self.largest)
      let high = min(range?.upperBound ?? finite.max() ?? 0, Self.largest)
      bytes = image.values.map { value in
        guard value.isFinite else { return 255 }
        return low < high ? byte((value - low) / (high - low) * 256) : 0
      }
    }
    bitmap = Bitmap(
      width: image.width, height: image.height, channels: image.channels, bytes: bytes)
  }

  /// The centered frame, as large as fits the area. Images are enlarged by a whole factor, so that
  /// all their pixels have the same size.
  package func frame(in area: Rectangle) -> Rectangle {
    var scale = min(
      Double(area.width) / Double(bitmap.width), Double(area.height) / Double(bitmap.height))
    if scale > 1 { scale.round(.down) }
    let width = max(1, Int(clamping: (Double(bitmap.width) * scale).rounded()))
    let height = max(1, Int(clamping: (Double(bitmap.height) * scale).rounded()))
    return Rectangle(
      x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2,
      width: width, height: height)
  }
}

/// The value rounded toward zero and clamped to 0…255; 0 for NaN.
func byte(_ value: Float) -> UInt8 {
  value > 0 ? UInt8(min(value, 255)) : 0
}

/// An image in a rectangle in data coordinates.
struct PlacedImage: Mark {
  let bitmap: Bitmap
  let (x, y): (ClosedRange<Double>, ClosedRange<Double>)
  var alpha = 1.0

  func extents(_ pen: Pen) -> (x: Extent, y: Extent) {
    var extents = (
      x: Extent([x.lowerBound, x.upperBound]), y: Extent([y.lowerBound, y.upperBound])
    )
    // The image fills the axes.
    extents.x.edges = [x.lowerBound, x.upperBound]
    extents.y.edges = [y.lowerBound, y.upperBound]
    // Its pixels have equal distances.
    extents.x.notLogarithmic = ("no image", "one")
    extents.y.notLogarithmic = extents.x.notLogarithmic
    return extents
  }

  func draw(on canvas: inout some Surface, in coordinates: Coordinates, _ pen: Pen) {
    func pixels(_ a: Double, _ b: Double) -> (first: Int, count: Int) {
      // Larger ones would overflow where the canvas multiplies them.
      let ends = [a, b].map { Int(min(max($0, -1e6), 1e6).rounded()) }
      return (min(ends[0], ends[1]), max(1, abs(ends[1] - ends[0])))
    }
    let columns = pixels(coordinates.x(of: x.lowerBound), coordinates.x(of: x.upperBound))
    let rows = pixels(coordinates.y(of: y.lowerBound), coordinates.y(of: y.upperBound))
    canvas.draw(
      bitmap,
      in: Rectangle(x: columns.first, y: rows.first, width: columns.count, height: rows.count))
  }
}
