import ImageFiles

/// The pixels of a picture with eight bits per channel, row by row from the top.
package struct Bitmap: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// 1 for grayscale, 3 for RGB.
  package let channels: Int
  package var bytes: [UInt8]

  package init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    precondition(bytes.count == width * height * channels, "wrong number of bytes for a bitmap")
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
  }

  /// The picture with one channel if all its colors are gray, otherwise unchanged.
  package var grayIfPossible: Bitmap {
    guard channels == 3 else { return self }
    var gray = [UInt8]()
    gray.reserveCapacity(width * height)
    for i in stride(from: 0, to: bytes.count, by: 3) {
      guard bytes[i] == bytes[i + 1] && bytes[i] == bytes[i + 2] else { return self }
      gray.append(bytes[i])
    }
    return Bitmap(width: width, height: height, channels: 1, bytes: gray)
  }
}

/// Encodes a PNG file, with one channel if all colors are gray. The same pixels give the same bytes.
///
/// - Parameters:
///   - bitmap: The pixels.
///   - dpi: The pixels per inch for the file's pHYs chunk; `nil` leaves the chunk out.
/// - Throws: ``PlotError`` if the picture is larger than libpng allows.
package func encodePNG(_ bitmap: Bitmap, dpi: Double? = nil) throws(PlotError) -> [UInt8] {
  let bitmap = bitmap.grayIfPossible
  let image = FileImage(
    width: bitmap.width, height: bitmap.height, channels: bitmap.channels, bytes: bitmap.bytes)
  do {
    return try image.encoded(dpi: dpi)
  } catch {
    throw PlotError(error.description)
  }
}

/// Decodes a PNG or JPEG file to 8-bit grayscale or RGB.
///
/// - Parameters:
///   - file: The file's bytes.
///   - name: The file's name in error messages.
///   - channels: 1 for gray, 3 for RGB.
///   - background: The gray value behind transparent pixels.
/// - Throws: ``PlotError`` if the bytes are not a whole file of one of these kinds.
package func decodeImage(
  _ file: [UInt8], named name: String, channels: Int, background: UInt8 = 255
) throws(PlotError) -> Bitmap {
  do {
    let image = try FileImage(
      decoding: file, named: name, channels: channels, background: background)
    return Bitmap(
      width: image.width, height: image.height, channels: image.channels, bytes: image.bytes)
  } catch {
    throw PlotError(error.description)
  }
}

/// Reads a file for ``decodeImage(_:named:channels:background:)``.
///
/// - Throws: ``PlotError`` with the path and the system's reason.
func readFile(_ path: String) throws(PlotError) -> [UInt8] {
  do {
    return try readImageFile(path)
  } catch {
    throw PlotError(error.description)
  }
}
