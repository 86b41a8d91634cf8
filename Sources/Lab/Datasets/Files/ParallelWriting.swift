import Foundation
import Kernels
import Synchronization

extension FileHandle {
  /// Writes pieces one behind the other from here on; they are made on several threads, each while
  /// others are written.
  ///
  /// - Parameters:
  ///   - count: The number of pieces.
  ///   - size: The number of bytes of each piece but the last one, which may be shorter.
  ///   - make: Makes a piece; called in no particular order and from several threads.
  /// - Throws: The system's reason if a piece cannot be written.
  func write(pieces count: Int, ofSize size: Int, make: (Int) -> Data) throws {
    let start = try offset()
    let failure = Mutex<POSIXError?>(nil)
    parallel(count: count) { index in
      guard failure.withLock({ $0 == nil }) else { return }
      if let error = write(make(index), at: Int(start) + index * size) {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Writes bytes at a place, and leaves alone where the file stands; the system's reason if it can't.
  private func write(_ bytes: Data, at place: Int) -> POSIXError? {
    bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = pwrite(
          fileDescriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(place + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return POSIXError(POSIXError.Code(rawValue: errno) ?? .EIO) }
        done += count
      }
      return nil
    }
  }
}
