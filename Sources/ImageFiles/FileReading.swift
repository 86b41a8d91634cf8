import Foundation

/// The largest image file that is read: far more than ``FileImage/largestPixelCount`` pixels need.
private let largestFile = 1 << 29

/// The bytes of a file, which may also be a pipe.
///
/// - Throws: ``FileImageError`` with the path and the system's reason, or if the file is larger than
///   512 MiB, as devices without an end are.
package func readImageFile(_ path: String) throws(FileImageError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  defer { if descriptor >= 0 { close(descriptor) } }
  func failure() -> FileImageError {
    FileImageError("cannot read \(path): \(String(cString: strerror(errno)))")
  }
  guard descriptor >= 0 else { throw failure() }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = read(descriptor, &part, part.count)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw failure() }
    guard count > 0 else { return bytes }
    bytes += part[..<count]
    guard bytes.count <= largestFile else {
      throw FileImageError(
        "cannot read \(path): expected an image file of at most \(largestFile >> 20) MiB")
    }
  }
}
