import Digests
import Foundation
import Kernels
import Synchronization

extension SHA256 {
  /// Appends the bytes of a file.
  ///
  /// - Throws: ``DataError`` if it cannot be read.
  package func update(withContentsOf url: URL) throws {
    try withFile(url, "read") {
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { update(piece) }
    }
  }

  /// The digest of a file.
  ///
  /// - Throws: ``DataError`` if it cannot be read.
  package static func hexadecimal(of url: URL) throws -> String {
    let sum = try SHA256()
    try sum.update(withContentsOf: url)
    return try sum.hexadecimal
  }

  /// The number of bytes of a block.
  private static let blockSize = 1 << 20

  /// The digest of the digests of a file's blocks of 1 MiB, which are computed on several threads.
  ///
  /// - Throws: ``DataError`` if the file cannot be read.
  /// - Complexity: O(size)
  package static func hexadecimal(ofBlocksOf url: URL) throws -> String {
    let file = try withFile(url, "read") { try FileHandle(forReadingFrom: url) }
    defer { try? file.close() }
    guard let status = FileStatus.of(descriptor: file.fileDescriptor), status.kind == .file else {
      throw DataError(
        .unusable, "cannot read \(url.path(percentEncoded: false)): expected a regular file")
    }
    let count = (status.size + blockSize - 1) / blockSize
    let results = Mutex([Result<String, any Error>?](repeating: nil, count: count))
    parallel(count: count) { index in
      let start = index * blockSize
      let result = Result {
        try withFile(url, "read") {
          let sum = try SHA256()
          sum.update(try file.bytes(at: start, count: min(blockSize, status.size - start)))
          return try sum.hexadecimal
        }
      }
      results.withLock { $0[index] = result }
    }
    let sum = try SHA256()
    for result in results.withLock({ $0 }) { sum.update(Data(try result?.get().utf8 ?? "".utf8)) }
    return try sum.hexadecimal
  }
}

extension FileHandle {
  /// Reads bytes at an offset, without moving the current offset; fewer at the end of the file.
  fileprivate func bytes(at offset: Int, count: Int) throws -> Data {
    var bytes = Data(count: count)
    var done = 0
    while done < count {
      let result = bytes.withUnsafeMutableBytes { bytes in
        pread(
          fileDescriptor, bytes.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
      }
      if result < 0, errno == EINTR { continue }
      guard result >= 0 else { throw POSIXError(POSIXError.Code(rawValue: errno) ?? .EIO) }
      guard result > 0 else { break }
      done += result
    }
    return bytes.prefix(done)
  }
}
