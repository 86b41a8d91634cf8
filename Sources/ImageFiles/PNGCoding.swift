import CPNG

extension FileImage {
  /// The bytes of a PNG file with these pixels; they do not depend on the time.
  ///
  /// - Parameter dpi: Pixels per inch, for the file's pHYs chunk; `nil` leaves the chunk out.
  /// - Throws: ``FileImageError`` if the image is larger than libpng allows.
  package func encoded(dpi: Double? = nil) throws(FileImageError) -> [UInt8] {
    let pixelsPerMetre = ((dpi ?? 0) / 0.0254).rounded()
    var file = png_file()
    defer { free(file.bytes) }
    let done = png_file_encode(
      &file, bytes, UInt32(width), UInt32(height), UInt32(channels), UInt32(pixelsPerMetre))
    guard done == 1 else {
      throw FileImageError(
        "cannot write a PNG of \(width) × \(height) pixels: " + text(of: file.message))
    }
    return Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
  }
}

/// Decodes a PNG file.
///
/// - Parameter background: The gray value behind transparent pixels, unless there are 4 channels.
func decodePNG(
  _ file: [UInt8], named name: String, channels: Int, background: UInt8
) throws(FileImageError) -> FileImage {
  // libpng allocates as many bytes as a chunk claims to have, up to two gigabytes.
  guard chunksFit(file) else {
    throw FileImageError(
      "cannot read \(name) as PNG: it is cut, or a chunk of it claims to be longer")
  }
  var control = png_image()
  // Between its calls libpng keeps the addresses of the control structure and of the file's bytes.
  return try withUnsafeMutablePointer(to: &control) { image throws(FileImageError) in
    try file.withUnsafeBufferPointer { file throws(FileImageError) in
      image.pointee.version = UInt32(PNG_IMAGE_VERSION)
      defer { png_image_free(image) }
      func failure() -> FileImageError {
        FileImageError("cannot read \(name) as PNG: \(text(of: image.pointee.message))")
      }
      guard png_image_begin_read_from_memory(image, file.baseAddress, file.count) != 0 else {
        throw failure()
      }
      let hasOpacity = image.pointee.format & UInt32(PNG_FORMAT_FLAG_ALPHA) != 0
      let (width, height) = (Int(image.pointee.width), Int(image.pointee.height))
      // A byte holds at most eight pixels, and deflate expands one byte to at most 1032.
      try FileImage.checkSize(
        width, height, named: name, fileSize: file.count, pixelsPerByte: 8 * 1032)
      // Without this flag files of 16 bits are taken for linear light and come out too bright.
      image.pointee.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
      image.pointee.format =
        switch channels {
        case 1: UInt32(PNG_FORMAT_GRAY)
        case 3: UInt32(PNG_FORMAT_RGB)
        default: UInt32(PNG_FORMAT_RGB | PNG_FORMAT_FLAG_ALPHA)
        }
      var bytes = [UInt8](repeating: 0, count: width * height * channels)
      var below = png_color(red: background, green: background, blue: background)
      guard png_image_finish_read(image, &below, &bytes, 0, nil) != 0 else { throw failure() }
      return FileImage(
        width: width, height: height, channels: channels, bytes: bytes, hasOpacity: hasOpacity)
    }
  }
}

/// Whether all chunks, each a length, a name, bytes and a checksum, end before the file does.
private func chunksFit(_ file: [UInt8]) -> Bool {
  var offset = 8
  while offset + 8 <= file.count {
    let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length + 12 <= file.count - offset else { return false }
    if file[offset + 4..<offset + 8].elementsEqual("IEND".utf8) { return true }
    offset += 12 + length
  }
  return true
}

/// A C array of characters, which Swift imports as a tuple, up to its terminating zero.
private func text(of characters: some Any) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
