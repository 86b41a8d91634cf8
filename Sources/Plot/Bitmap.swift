/// The pixels of a picture as a file has them: eight bits a sample, rows from the top.
package struct Bitmap: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// 1 for gray, 3 for red, green and blue.
  package let channels: Int
  package var bytes: [UInt8]

  package init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    precondition(bytes.count == width * height * channels, "wrong number of bytes for a bitmap")
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
  }

  /// The same picture with one channel, where its colours are all gray; otherwise itself.
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
