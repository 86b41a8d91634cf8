import CArchive
import Foundation
import LabData

/// Reads zip archives and gzip files, and writes zip archives, with libarchive.
package enum Archive {
  /// Extracts one member of a zip archive to a file.
  ///
  /// - Parameters:
  ///   - name: The member's path, or the last component of it.
  ///   - archive: The zip archive.
  ///   - target: The file to write.
  ///   - limit: The largest size of the member in bytes.
  /// - Throws: ``DataError`` if the archive is damaged or has no such member.
  package static func extract(
    _ name: String, from archive: URL, to target: URL, limit: Int
  ) throws {
    let reader = try Reader(archive, what: "zip archive") {
      archive_read_support_format_zip($0)
    }
    let lastPart = name.split(separator: "/").last.map(String.init) ?? name
    while let member = try reader.nextMember() {
      guard member == name || member.split(separator: "/").last.map(String.init) == lastPart else {
        continue
      }
      return try reader.write(to: target, limit: limit)
    }
    throw DataError(
      .damaged, "\(archive.path(percentEncoded: false)): expected \(name) in it, found no such file"
    )
  }

  /// The form of an archive.
  package enum Form {
    case zip
    /// Any form that libarchive reads, such as zip, tar or tar.gz.
    case any
  }

  /// The bytes of several members of an archive, by path.
  ///
  /// - Parameters:
  ///   - archive: The archive.
  ///   - form: Its form.
  ///   - limit: The largest size of all of them together in bytes.
  ///   - isWanted: Whether to read the member at a path.
  /// - Throws: ``DataError`` if the archive is damaged, or has more than 100,000 members.
  package static func members(
    of archive: URL, form: Form = .zip, limit: Int, where isWanted: (String) -> Bool
  ) throws -> [String: [UInt8]] {
    let reader = try Reader(archive, what: form == .zip ? "zip archive" : "archive") {
      if form == .zip { return archive_read_support_format_zip($0) }
      archive_read_support_filter_all($0)
      return archive_read_support_format_all($0)
    }
    var members: [String: [UInt8]] = [:]
    var (total, count) = (0, 0)
    while let member = try reader.nextMember() {
      count += 1
      guard count <= 100_000 else { throw reader.damage("more than 100,000 files") }
      guard isWanted(member) else { continue }
      var bytes: [UInt8] = []
      try reader.forEachBlock(limit: limit - total) { bytes += $0 }
      total += bytes.count
      members[member] = bytes
    }
    return members
  }

  /// Decompresses a gzip file.
  ///
  /// - Parameters:
  ///   - source: The gzip file.
  ///   - target: The file to write.
  ///   - limit: The largest size of the contents in bytes.
  /// - Throws: ``DataError`` if the gzip file is damaged.
  package static func gunzip(_ source: URL, to target: URL, limit: Int) throws {
    let reader = try Reader(source, what: "gzip file") {
      archive_read_support_filter_gzip($0)
      return archive_read_support_format_raw($0)
    }
    // The raw format accepts any bytes, so the filter must say whether they are gzip.
    guard try reader.nextMember() != nil, reader.isGzip else { throw reader.damage("not gzip") }
    try reader.write(to: target, limit: limit)
  }

  /// Writes a zip archive, whole or not at all. The same members give the same bytes.
  ///
  /// - Parameters:
  ///   - members: The paths and bytes of its files, in their order.
  ///   - target: The zip archive.
  /// - Throws: ``DataError`` if a path leads out of the archive, or the file cannot be written.
  package static func writeZip(_ members: [(path: String, bytes: Data)], to target: URL) throws {
    let path = target.path(percentEncoded: false)
    for member in members {
      let parts = member.path.split(separator: "/", omittingEmptySubsequences: false)
      guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
        throw DataError(
          .unusable,
          "\(path): expected the path of a file inside it, got "
            + (member.path.isEmpty ? "nothing" : printable(member.path))
        )
      }
    }
    guard let handle = archive_write_new() else {
      throw DataError(.unusable, "\(path): libarchive did not start")
    }
    defer { archive_write_free(handle) }
    // Bytes that cannot be compressed take a little more; the rest is for headers.
    let size = members.reduce(1 << 16) { $0 + $1.bytes.count + $1.bytes.count / 64 + 1024 }
    var bytes = [UInt8](repeating: 0, count: size)
    var used = 0
    let isWritten = bytes.withUnsafeMutableBytes { buffer in
      archive_write_set_format_zip(handle) == ARCHIVE_OK
        && archive_write_set_options(handle, "zip:hdrcharset=UTF-8") == ARCHIVE_OK
        && archive_write_set_bytes_in_last_block(handle, 1) == ARCHIVE_OK
        && archive_write_open_memory(handle, buffer.baseAddress, size, &used) == ARCHIVE_OK
        && members.allSatisfy { add($0.path, $0.bytes, to: handle) }
        && archive_write_close(handle) == ARCHIVE_OK
    }
    guard isWritten else {
      throw DataError(.unusable, "cannot write \(path): \(libraryMessage(of: handle))")
    }
    try writeWhole(to: target) { try $0.write(contentsOf: bytes[..<used]) }
  }

  private static func add(_ path: String, _ bytes: Data, to handle: OpaquePointer) -> Bool {
    guard let entry = archive_entry_new() else { return false }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname_utf8(entry, path)
    // AE_IFREG, which is a macro with a cast.
    archive_entry_set_filetype(entry, 0o100000)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_size(entry, Int64(bytes.count))
    // Without a time of its own a file is of the first day that zip knows.
    guard archive_write_header(handle, entry) == ARCHIVE_OK else { return false }
    return bytes.withUnsafeBytes { buffer in
      archive_write_data(handle, buffer.baseAddress, buffer.count) == buffer.count
    }
  }
}

/// The last message of libarchive. Some end with a line break, some quote the file's contents.
private func libraryMessage(of handle: OpaquePointer) -> String {
  let text = archive_error_string(handle).map { String(cString: $0) } ?? "damaged bytes"
  return printable(text.trimmingCharacters(in: .whitespacesAndNewlines))
}

/// An archive that is open for reading.
private final class Reader {
  private let handle: OpaquePointer
  private let path: String
  private let what: String

  init(_ url: URL, what: String, support: (OpaquePointer) -> Int32) throws {
    path = url.path(percentEncoded: false)
    self.what = what
    guard let handle = archive_read_new() else {
      throw DataError(.unusable, "\(path): libarchive did not start")
    }
    self.handle = handle
    guard support(handle) == ARCHIVE_OK,
      archive_read_open_filename(handle, path, 1 << 16) == ARCHIVE_OK
    else { throw failure() }
  }

  deinit {
    archive_read_free(handle)
  }

  var isGzip: Bool { archive_filter_code(handle, 0) == ARCHIVE_FILTER_GZIP }

  /// The number of bytes of the current member, if the archive states it before them.
  private var memberSize: Int?

  /// Moves to the next member and returns its path; nil after the last one.
  func nextMember() throws -> String? {
    var entry: OpaquePointer?
    switch archive_read_next_header(handle, &entry) {
    case ARCHIVE_EOF: return nil
    case ARCHIVE_OK, ARCHIVE_WARN:
      memberSize = archive_entry_size_is_set(entry) != 0 ? Int(archive_entry_size(entry)) : nil
      // A name that is not valid text cannot be one that is looked for.
      return archive_entry_pathname(entry).map { String(cString: $0) } ?? ""
    default: throw failure()
    }
  }

  func write(to target: URL, limit: Int) throws {
    if let memberSize, memberSize <= limit {
      try requireSpace(
        memberSize, in: target.deletingLastPathComponent(), for: "unpacking \(path)",
        advice: "make room, or set LAB_DATA_DIR to a folder on another disk")
    }
    try writeWhole(to: target) { file in
      try forEachBlock(limit: limit) { try file.write(contentsOf: $0) }
    }
  }

  /// Reads the current member.
  func forEachBlock(limit: Int, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var total = 0
    while true {
      let count = archive_read_data(handle, &buffer, buffer.count)
      if count == 0 { return }
      guard count > 0 else { throw failure() }
      total += count
      guard total <= limit else { throw damage("more bytes than it may have, \(limit)") }
      try body(buffer[..<count])
    }
  }

  /// The error that libarchive reports: damage, or an error of the system that says nothing about the
  /// file, such as too many open files.
  private func failure() -> DataError {
    let number = archive_errno(handle)
    guard [EACCES, EINTR, EIO, EISDIR, EMFILE, ENFILE, ENOENT, ENOMEM].contains(number) else {
      return damage(libraryMessage(of: handle))
    }
    return DataError(.unusable, "cannot read \(path): \(systemReason(of: number))")
  }

  func damage(_ reason: String) -> DataError {
    DataError(.damaged, "\(path): expected a whole \(what), got: \(reason)")
  }
}
