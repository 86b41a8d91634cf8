import CPNG

/// A PNG file's bytes; gray pictures take one channel, and nothing in it depends on the time.
///
/// - Parameters:
///   - bitmap: The pixels.
///   - dpi: Pixels per inch, for the file's pHYs chunk; `nil` leaves the chunk out.
/// - Throws: ``PlotError``, when the picture is larger than libpng allows.
package func encodePNG(_ bitmap: Bitmap, dpi: Double? = nil) throws(PlotError) -> [UInt8] {
  let bitmap = bitmap.grayIfPossible
  let pixelsPerMetre = ((dpi ?? 0) / 0.0254).rounded()
  var file = png_file()
  defer { free(file.bytes) }
  let done = png_file_encode(
    &file, bitmap.bytes, UInt32(bitmap.width), UInt32(bitmap.height), UInt32(bitmap.channels),
    UInt32(pixelsPerMetre))
  guard done == 1 else {
    throw PlotError(
      "cannot write a PNG of \(bitmap.width) × \(bitmap.height) pixels: "
        + text(of: file.message))
  }
  return Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
}

/// The pixels of a PNG file, turned into 8-bit gray or RGB and laid on white.
///
/// - Parameters:
///   - file: The file's bytes.
///   - name: What to call the file in an error.
///   - channels: 1 for gray, 3 for RGB.
/// - Throws: ``PlotError``, when the bytes are no whole PNG file.
package func decodePNG(
  _ file: [UInt8], named name: String, channels: Int
) throws(PlotError) -> Bitmap {
  precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, got \(channels)")
  var image = png_image()
  image.version = UInt32(PNG_IMAGE_VERSION)
  defer { png_image_free(&image) }
  var bytes: [UInt8] = []
  var done = png_image_begin_read_from_memory(&image, file, file.count)
  if done != 0 {
    // Files of 16 bits would otherwise be taken for linear light and come out too bright.
    image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
    image.format = channels == 1 ? UInt32(PNG_FORMAT_GRAY) : UInt32(PNG_FORMAT_RGB)
    let pixels = Int(image.width) * Int(image.height)
    guard pixels * channels <= largestByteCount else {
      throw PlotError("cannot read \(name): \(image.width) × \(image.height) pixels are too many")
    }
    // A byte holds at most eight pixels, and deflate makes at most 1032 bytes of one.
    guard pixels / (8 * 1032) <= file.count else {
      throw PlotError(
        "cannot read \(name): \(image.width) × \(image.height) pixels do not fit into "
          + "\(file.count) bytes")
    }
    let count = pixels * channels
    bytes = [UInt8](repeating: 0, count: count)
    var white = png_color(red: 255, green: 255, blue: 255)
    done = png_image_finish_read(&image, &white, &bytes, 0, nil)
  }
  guard done != 0 else {
    throw PlotError("cannot read \(name) as PNG: \(text(of: image.message))")
  }
  return Bitmap(
    width: Int(image.width), height: Int(image.height), channels: channels, bytes: bytes)
}

/// A file of a few bytes can claim to be larger than all memory; 1 GB is enough for 18,000 × 18,000.
private let largestByteCount = 1 << 30

/// A C array of characters, which Swift sees as a tuple, up to its zero.
private func text(of characters: some Any) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
