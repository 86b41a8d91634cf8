import CJPEG

/// Decodes a JPEG file.
func decodeJPEG(
  _ file: [UInt8], named name: String, channels: Int
) throws(FileImageError) -> FileImage {
  var picture = jpeg_picture()
  guard jpeg_picture_decode(&picture, file, file.count, 3, nil, 0) == 1 else {
    throw failure(picture, name)
  }
  let (width, height) = (Int(picture.width), Int(picture.height))
  // An empty block of 8 × 8 pixels takes a bit for each component at least.
  try FileImage.checkSize(
    width, height, named: name, fileSize: file.count, pixelsPerByte: 64 * 8 * 16)
  let sampleCount = channels == 1 ? 1 : 3
  var bytes = [UInt8](repeating: 0, count: width * height * sampleCount)
  let done = jpeg_picture_decode(
    &picture, file, file.count, Int32(sampleCount), &bytes, bytes.count)
  guard done == 1 else { throw failure(picture, name) }
  if channels == 4 {
    bytes = (0..<width * height).flatMap { bytes[3 * $0..<3 * $0 + 3] + [255] }
  }
  return FileImage(width: width, height: height, channels: channels, bytes: bytes)
}

private func failure(_ picture: jpeg_picture, _ name: String) -> FileImageError {
  let message = withUnsafeBytes(of: picture.message) {
    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
  }
  return FileImageError("cannot read \(name) as JPEG: \(message)")
}
