import CPNG

/// The pixels of a PNG file: eight bits a sample, row by row from the top.
///
/// ```swift
/// let image = try PNGImage(decoding: file, named: "a.png", channels: 1)
/// image.bytes.count  // width · height
/// let copy = try image.encoded()
/// ```
package struct PNGImage: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// 1 for gray, 3 for RGB.
  package let channels: Int
  /// height × width × channels samples; the channels of a pixel are neighbours.
  package let bytes: [UInt8]

  package init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, got \(channels)")
    precondition(
      bytes.count == width * height * channels,
      "an image of \(width)×\(height) pixels and \(channels) channels does not have "
        + "\(bytes.count) bytes")
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
  }

  /// The bytes of a PNG file with these pixels; they do not depend on the time.
  ///
  /// - Parameter dpi: Pixels per inch, for the file's pHYs chunk; `nil` leaves the chunk out.
  /// - Throws: ``PNGError`` if the image is larger than libpng allows.
  package func encoded(dpi: Double? = nil) throws(PNGError) -> [UInt8] {
    let pixelsPerMetre = ((dpi ?? 0) / 0.0254).rounded()
    var file = png_file()
    defer { free(file.bytes) }
    let done = png_file_encode(
      &file, bytes, UInt32(width), UInt32(height), UInt32(channels), UInt32(pixelsPerMetre))
    guard done == 1 else {
      throw PNGError(
        "cannot write a PNG of \(width) × \(height) pixels: " + text(of: file.message))
    }
    return Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
  }

  /// Decodes a PNG file of any kind to 8-bit gray or RGB.
  ///
  /// - Parameters:
  ///   - file: The file's bytes.
  ///   - name: The file's name in error messages.
  ///   - channels: 1 for gray, 3 for RGB.
  ///   - background: The gray value behind transparent pixels.
  /// - Throws: ``PNGError`` if the bytes are not a whole PNG file.
  package init(
    decoding file: [UInt8], named name: String, channels: Int, background: UInt8 = 255
  ) throws(PNGError) {
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels, got \(channels)")
    // libpng allocates as many bytes as a chunk claims to have, up to two gigabytes.
    guard chunksFit(file) else {
      throw PNGError("cannot read \(name) as PNG: it is cut, or a chunk of it claims to be longer")
    }
    var control = png_image()
    var bytes: [UInt8] = []
    // Between its calls libpng keeps the addresses of the control structure and of the file's bytes.
    let (width, height) = try withUnsafeMutablePointer(to: &control) { image throws(PNGError) in
      try file.withUnsafeBufferPointer { file throws(PNGError) in
        image.pointee.version = UInt32(PNG_IMAGE_VERSION)
        defer { png_image_free(image) }
        var done = png_image_begin_read_from_memory(image, file.baseAddress, file.count)
        if done != 0 {
          // Without this flag files of 16 bits are taken for linear light and come out too bright.
          image.pointee.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
          image.pointee.format = channels == 1 ? UInt32(PNG_FORMAT_GRAY) : UInt32(PNG_FORMAT_RGB)
          let size = "\(image.pointee.width) × \(image.pointee.height) pixels"
          let pixels = Int(image.pointee.width) * Int(image.pointee.height)
          guard pixels * channels <= largestByteCount else {
            throw PNGError("cannot read \(name): \(size) are too many")
          }
          // A byte holds at most eight pixels, and deflate expands one byte to at most 1032.
          guard pixels / (8 * 1032) <= file.count else {
            throw PNGError("cannot read \(name): \(size) do not fit into \(file.count) bytes")
          }
          bytes = [UInt8](repeating: 0, count: pixels * channels)
          var below = png_color(red: background, green: background, blue: background)
          done = png_image_finish_read(image, &below, &bytes, 0, nil)
        }
        guard done != 0 else {
          throw PNGError("cannot read \(name) as PNG: \(text(of: image.pointee.message))")
        }
        return (Int(image.pointee.width), Int(image.pointee.height))
      }
    }
    self.init(width: width, height: height, channels: channels, bytes: bytes)
  }
}

/// Why a PNG file cannot be read or written, in one line.
package struct PNGError: Error, Equatable, CustomStringConvertible {
  package let description: String

  fileprivate init(_ description: String) {
    self.description = description
  }
}

/// Whether all chunks, each a length, a name, bytes and a checksum, end before the file does.
private func chunksFit(_ file: [UInt8]) -> Bool {
  // libpng refuses what is no PNG file at all.
  guard file.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { return true }
  var offset = 8
  while offset + 8 <= file.count {
    let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length + 12 <= file.count - offset else { return false }
    if file[offset + 4..<offset + 8].elementsEqual("IEND".utf8) { return true }
    offset += 12 + length
  }
  return true
}

/// A file of a few bytes can claim to be larger than all memory; 1 GB is enough for 18,000 × 18,000.
private let largestByteCount = 1 << 30

/// A C array of characters, which Swift imports as a tuple, up to its terminating zero.
private func text(of characters: some Any) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
