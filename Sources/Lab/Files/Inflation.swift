import CZlib
import Foundation
import LabData

/// Decompresses zlib streams and checks their checksums.
package enum Inflation {
  /// The largest ratio of decompressed to compressed bytes.
  static let largestRatio = 1032

  /// Decompresses a stream piece by piece.
  ///
  /// - Parameters:
  ///   - packed: The whole zlib stream, without bytes after it.
  ///   - body: Called with each decompressed piece.
  /// - Returns: Whether the stream was complete and undamaged.
  /// - Throws: The error that `body` throws, or ``DataError`` without memory.
  package static func forEachPiece(
    of packed: Data, _ body: (ArraySlice<UInt8>) throws -> Void
  ) throws -> Bool {
    var stream = z_stream()
    guard
      inflateInit_(&stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw DataError(.unusable, "zlib did not start") }
    defer { inflateEnd(&stream) }
    var room = [UInt8](repeating: 0, count: 1 << 18)
    var status = Z_OK
    // zlib counts bytes in 32 bits, so the input is split into pieces too.
    for start in stride(from: packed.startIndex, to: packed.endIndex, by: 1 << 20) {
      var piece = [UInt8](packed[start..<min(packed.endIndex, start + 1 << 20)])
      var done = 0
      while done < piece.count || stream.avail_out == 0 {
        guard status == Z_OK else { return false }
        let count = piece.withUnsafeMutableBufferPointer { source in
          room.withUnsafeMutableBufferPointer { target in
            stream.next_in = source.baseAddress.map { $0 + done }
            stream.avail_in = UInt32(source.count - done)
            stream.next_out = target.baseAddress
            stream.avail_out = UInt32(target.count)
            status = inflate(&stream, Z_NO_FLUSH)
            done = source.count - Int(stream.avail_in)
            return target.count - Int(stream.avail_out)
          }
        }
        if status == Z_MEM_ERROR {
          throw DataError(.unusable, "cannot decompress: \(systemReason(of: ENOMEM))")
        }
        // There may be no more output, which is not an error.
        if status == Z_BUF_ERROR && count == 0 && done == piece.count { status = Z_OK }
        try body(room[..<count])
        if status == Z_STREAM_END && done < piece.count { return false }
        if status == Z_STREAM_END { break }
      }
    }
    return status == Z_STREAM_END
  }
}
