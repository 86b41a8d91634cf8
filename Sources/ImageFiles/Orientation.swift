/// How the picture in a file must be turned to be upright, by the number that EXIF gives it.
///
/// A phone stores what its sensor sees, and writes down how it was held.
enum Orientation: Int {
  case upright = 1
  case mirrored, upsideDown, upsideDownMirrored, transposed, turnedLeft, transversed, turnedRight

  /// The orientation in a PNG or JPEG file; upright if it has none or a damaged one.
  init(of file: [UInt8]) {
    let isPNG = file.first == 0x89
    let data = isPNG ? exif(inPNG: file) : exif(inJPEG: file)
    self = data.flatMap(orientation(inTIFF:)).flatMap(Self.init(rawValue:)) ?? .upright
  }
}

extension FileImage {
  /// The picture turned upright.
  func turned(_ orientation: Orientation) -> FileImage {
    guard orientation != .upright else { return self }
    let swapsSides = orientation.rawValue >= Orientation.transposed.rawValue
    let (newWidth, newHeight) = swapsSides ? (height, width) : (width, height)
    var turned = [UInt8]()
    turned.reserveCapacity(bytes.count)
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let (column, row) =
          switch orientation {
          case .upright: (x, y)
          case .mirrored: (width - 1 - x, y)
          case .upsideDown: (width - 1 - x, height - 1 - y)
          case .upsideDownMirrored: (x, height - 1 - y)
          case .transposed: (y, x)
          case .turnedLeft: (y, height - 1 - x)
          case .transversed: (width - 1 - y, height - 1 - x)
          case .turnedRight: (width - 1 - y, x)
          }
        let start = (row * width + column) * channels
        turned += bytes[start..<start + channels]
      }
    }
    return FileImage(
      width: newWidth, height: newHeight, channels: channels, bytes: turned, hasOpacity: hasOpacity)
  }
}

/// A number of some bytes, the first one the most significant.
private func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

/// The data of the first eXIf chunk.
private func exif(inPNG file: [UInt8]) -> ArraySlice<UInt8>? {
  var offset = 8
  while offset + 12 <= file.count {
    let length = number(file[offset..<offset + 4])
    guard length <= file.count - offset - 12 else { return nil }
    let data = offset + 8..<offset + 8 + length
    if file[offset + 4..<offset + 8].elementsEqual("eXIf".utf8) { return file[data] }
    offset += 12 + length
  }
  return nil
}

/// The EXIF data among the segments before the first scan.
private func exif(inJPEG file: [UInt8]) -> ArraySlice<UInt8>? {
  var offset = 2
  while offset + 4 <= file.count, file[offset] == 0xFF {
    let marker = file[offset + 1]
    // Any number of 0xFF may stand before a marker.
    if marker == 0xFF {
      offset += 1
      continue
    }
    let length = number(file[offset + 2..<offset + 4])
    guard marker != 0xDA, length >= 2, length <= file.count - offset - 2 else { return nil }
    let data = file[offset + 4..<offset + 2 + length]
    if marker == 0xE1, data.starts(with: Array("Exif\0\0".utf8)) { return data.dropFirst(6) }
    offset += 2 + length
  }
  return nil
}

/// The value of tag 0x0112 in the first directory of a TIFF file.
private func orientation(inTIFF data: ArraySlice<UInt8>) -> Int? {
  let data = Array(data)
  let isLittle = data.starts(with: "II".utf8)
  guard isLittle || data.starts(with: "MM".utf8) else { return nil }
  func value(at offset: Int, _ count: Int) -> Int? {
    guard offset >= 0, offset <= data.count - count else { return nil }
    let bytes = data[offset..<offset + count]
    return isLittle ? number(ArraySlice(bytes.reversed())) : number(bytes)
  }
  guard value(at: 2, 2) == 42, let directory = value(at: 4, 4), let count = value(at: directory, 2)
  else { return nil }
  for entry in 0..<count {
    let offset = directory + 2 + 12 * entry
    guard let tag = value(at: offset, 2) else { return nil }
    // A number of two bytes stands in the first two of the four for it.
    if tag == 0x0112 { return value(at: offset + 2, 2) == 3 ? value(at: offset + 8, 2) : nil }
  }
  return nil
}
