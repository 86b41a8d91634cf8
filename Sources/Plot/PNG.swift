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

/// The pixels of a PNG file, turned into 8-bit gray or RGB and laid on white, or on another gray.
///
/// - Parameters:
///   - file: The file's bytes.
///   - name: What to call the file in an error.
///   - channels: 1 for gray, 3 for RGB.
///   - background: What shows where the picture is transparent.
/// - Throws: ``PlotError``, when the bytes are no whole PNG file.
package func decodePNG(
  _ file: [UInt8], named name: String, channels: Int, background: UInt8 = 255
) throws(PlotError) -> Bitmap {
  precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, got \(channels)")
  // libpng makes room for a piece as large as it claims to be, up to two gigabytes.
  guard claimsFit(file) else {
    throw PlotError("cannot read \(name) as PNG: it is cut, or a chunk of it claims to be longer")
  }
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
    var below = png_color(red: background, green: background, blue: background)
    done = png_image_finish_read(&image, &below, &bytes, 0, nil)
  }
  guard done != 0 else {
    throw PlotError("cannot read \(name) as PNG: \(text(of: image.message))")
  }
  return Bitmap(
    width: Int(image.width), height: Int(image.height), channels: channels, bytes: bytes)
}

/// Whether all chunks, each a length, a name, bytes and a sum, end before the file does.
private func claimsFit(_ file: [UInt8]) -> Bool {
  // What is no PNG file at all is for libpng to refuse.
  guard file.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { return true }
  var place = 8
  while place + 8 <= file.count {
    let length = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length + 12 <= file.count - place else { return false }
    if file[place + 4..<place + 8].elementsEqual("IEND".utf8) { return true }
    place += 12 + length
  }
  return true
}

/// A file of a few bytes can claim to be larger than all memory; 1 GB is enough for 18,000 × 18,000.
private let largestByteCount = 1 << 30

/// A C array of characters, which Swift sees as a tuple, up to its zero.
private func text(of characters: some Any) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
