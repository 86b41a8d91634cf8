import PNGFiles

/// The bytes of a PNG file; gray pictures take one channel, and nothing in it depends on the time.
///
/// - Parameters:
///   - bitmap: The pixels.
///   - dpi: Pixels per inch, for the file's pHYs chunk; `nil` leaves the chunk out.
/// - Throws: ``PlotError`` if the picture is larger than libpng allows.
package func encodePNG(_ bitmap: Bitmap, dpi: Double? = nil) throws(PlotError) -> [UInt8] {
  let bitmap = bitmap.grayIfPossible
  let image = PNGImage(
    width: bitmap.width, height: bitmap.height, channels: bitmap.channels, bytes: bitmap.bytes)
  do {
    return try image.encoded(dpi: dpi)
  } catch {
    throw PlotError(error.description)
  }
}

/// The pixels of a PNG file, converted to 8-bit gray or RGB.
///
/// - Parameters:
///   - file: The file's bytes.
///   - name: The file's name in error messages.
///   - channels: 1 for gray, 3 for RGB.
///   - background: The gray value behind transparent pixels.
/// - Throws: ``PlotError`` if the bytes are not a whole PNG file.
package func decodePNG(
  _ file: [UInt8], named name: String, channels: Int, background: UInt8 = 255
) throws(PlotError) -> Bitmap {
  do {
    let image = try PNGImage(
      decoding: file, named: name, channels: channels, background: background)
    return Bitmap(
      width: image.width, height: image.height, channels: image.channels, bytes: image.bytes)
  } catch {
    throw PlotError(error.description)
  }
}
