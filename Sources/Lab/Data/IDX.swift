import Foundation
import Synchronization

/// An array of bytes, in memory or mapped from a file in the IDX format of MNIST.
///
/// ```text
/// 00 00 08 rank   08 means that elements are unsigned bytes
/// extents         `rank` big-endian 32-bit integers
/// elements        in row-major order
/// ```
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
package struct IDX: Sendable {
  /// The extent of each dimension.
  package let shape: [Int]
  private let file: Data
  private let start: Int
  /// Nil for an array in memory.
  private let pages: MappedPages?

  /// Maps a file and checks that it is as long as its header says.
  ///
  /// - Throws: ``DataError`` if it is not such a file.
  package init(mapping url: URL, rank: Int) throws {
    let name = url.path(percentEncoded: false)
    FileSignals.prepare()
    if let kind = try FileStatus.of(url)?.kind, kind != .file {
      throw DataError(.unusable, "cannot read \(name): expected a file, got a \(kind.rawValue)")
    }
    let file = try withFile(url, "read") { try Data(contentsOf: url, options: .alwaysMapped) }
    start = 4 + 4 * rank
    guard file.count >= start, file.prefix(4).elementsEqual([0, 0, 8, UInt8(rank)]) else {
      throw DataError(.damaged, "\(name): expected an IDX file of bytes in \(rank) dimensions")
    }
    var shape: [Int] = []
    var expected: (partialValue: Int, overflow: Bool) = (1, false)
    for axis in 0..<rank {
      let bytes = file[(4 + 4 * axis)..<(8 + 4 * axis)]
      let extent = bytes.reduce(0) { $0 << 8 | Int($1) }
      shape.append(extent)
      let product = expected.partialValue.multipliedReportingOverflow(by: extent)
      expected = (product.partialValue, expected.overflow || product.overflow)
    }
    guard !expected.overflow, expected.partialValue == file.count - start else {
      throw DataError(
        .damaged,
        "\(name): expected the \(shape) bytes that its header says, got \(file.count - start)")
    }
    self.shape = shape
    self.file = file
    pages = MappedPages()
  }

  /// An array in memory.
  ///
  /// - Parameters:
  ///   - bytes: The elements in row-major order.
  ///   - shape: The extent of each dimension.
  package init(_ bytes: Data, shape: [Int]) {
    precondition(bytes.count == shape.reduce(1, *))
    self.shape = shape
    (file, start, pages) = (bytes, 0, nil)
  }

  /// All elements in row-major order.
  package var elements: [UInt8] { Array(file.dropFirst(start)) }

  /// Calls `body` with the elements in row-major order.
  package func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    try body(file.bytes.extracting(droppingFirst: start))
  }

  /// ``withBytes(_:)`` for reading some records that are scattered over the file.
  package func withBytes<Result>(
    reading records: Int, _ body: (RawSpan) throws -> Result
  ) rethrows -> Result {
    try withBytes { bytes in
      defer { pages?.didRead(records, in: bytes) }
      return try body(bytes)
    }
  }

  /// The number of records: the extent of the first dimension.
  package var count: Int { shape[0] }

  /// Writes an array as an IDX file, whole or not at all.
  ///
  /// - Parameters:
  ///   - bytes: The elements in row-major order.
  ///   - shape: The extent of each dimension.
  ///   - url: The file to write.
  /// - Throws: ``DataError`` if the file cannot be written.
  package static func write(_ bytes: [UInt8], shape: [Int], to url: URL) throws {
    precondition(bytes.count == shape.reduce(1, *))
    try write(shape: shape, to: url) { file in
      // In pieces, since each is copied into a `Data`.
      for start in stride(from: 0, to: bytes.count, by: 1 << 22) {
        try file.write(contentsOf: bytes[start..<min(bytes.count, start + 1 << 22)])
      }
    }
  }

  /// Writes an IDX file piece by piece; it appears whole or not at all.
  ///
  /// - Parameters:
  ///   - shape: The extent of each dimension.
  ///   - url: The file to write.
  ///   - elements: Writes all elements in row-major order to the file, which is positioned behind
  ///     its header.
  /// - Throws: ``DataError`` if the file cannot be written.
  package static func write(
    shape: [Int], to url: URL, elements: (FileHandle) throws -> Void
  ) throws {
    var header: [UInt8] = [0, 0, 8, UInt8(shape.count)]
    for extent in shape {
      header += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: extent >> $0) }
    }
    try writeWhole(to: url) { file in
      try file.write(contentsOf: header)
      try elements(file)
    }
  }
}

/// Limits how much of a mapped file counts as this process's memory.
///
/// The system maps sixteen pages around each page that is read and never unmaps them by itself, so
/// that reading at random would soon map the whole file. The file's contents stay in the system's
/// cache, from which they are mapped again quickly.
private final class MappedPages: Sendable {
  private let reads = Atomic<Int>(0)
  /// The number of reads after which pages are unmapped: at most 64 MB, if all reads are far apart.
  private let maximumReads = 1024

  /// Counts some scattered reads from `bytes`, which stay valid.
  func didRead(_ count: Int, in bytes: RawSpan) {
    guard reads.add(count, ordering: .relaxed).newValue >= maximumReads else { return }
    reads.store(0, ordering: .relaxed)
    #if os(Linux)
      bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        let page = Int(getpagesize())
        // From the first whole page to the last one.
        let before = (page - Int(bitPattern: start) % page) % page
        let count = (bytes.count - before) / page * page
        guard count > 0 else { return }
        // Failing is harmless.
        _ = madvise(.init(mutating: start + before), count, MADV_DONTNEED)
      }
    #endif
  }
}
