/// A gray or RGB picture of floating-point values, to be shown or saved.
///
/// ```swift
/// let digit = Image(width: 28, height: 28, values: x)                        // gray
/// let photo = Image(width: 640, height: 480, channels: 3, bytes: samples)    // RGB, 0…255
/// ```
///
/// Values come row by row from the top, and from left to right; an RGB image has its three
/// values pixel by pixel. Black is 0 and white is 1; gray images may have any range, for
/// ``Axes/imshow(_:range:)`` can stretch it.
public struct Image: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// 1 for gray, 3 for red, green and blue.
  public let channels: Int
  /// height × width × channels values.
  public let values: [Float]

  public init(width: Int, height: Int, channels: Int = 1, values: [Float]) {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, got \(channels)")
    precondition(
      width > 0 && height > 0 && values.count == width * height * channels,
      "an image of width \(width), height \(height) and \(channels) channels "
        + "does not have \(values.count) values")
    self.width = width
    self.height = height
    self.channels = channels
    self.values = values
  }

  /// An image of bytes, where 255 means 1.
  public init(width: Int, height: Int, channels: Int = 1, bytes: [UInt8]) {
    self.init(
      width: width, height: height, channels: channels, values: bytes.map { Float($0) / 255 })
  }

  /// Reads a PNG file of any kind; transparent parts become white.
  ///
  /// - Parameters:
  ///   - path: Where the file is.
  ///   - channels: 1 to get it in gray, 3 in RGB.
  ///   - background: What transparent parts become instead, from 0 for black to 1 for white.
  /// - Throws: ``PlotError``, when the file cannot be read or is no PNG.
  public init(
    contentsOf path: String, channels: Int = 1, background: Float = 1
  ) throws(PlotError) {
    let bitmap = try decodePNG(
      readFile(path), named: path, channels: channels, background: byte(background * 255))
    self.init(width: bitmap.width, height: bitmap.height, channels: channels, bytes: bitmap.bytes)
  }
}
