import Foundation
import LabData

/// `metrics.csv`: the log of a training, a row for each logged step, epoch and test.
///
/// ```text
/// epoch,step,lr,train_loss_step,train_loss,train_acc,val_loss,val_acc,test_loss,test_acc
/// 0,1,0.001,2.3102,,,,,,
/// 0,430,,,0.1498,0.9544,0.0542,0.9848,,
/// ```
///
/// Steps are counted over all epochs, from 1. Numbers have all their digits; cells without a value are
/// empty. Columns are known by their names: other objectives have other columns.
final class MetricsFile: TrainingObserver {
  let file: LogFile
  private var columns: [Scalar]

  /// Opens the file at its end.
  ///
  /// - Throws: ``DataError`` if it cannot be written, or its header is not one.
  init(in folder: URL) throws {
    let url = Self.url(in: folder)
    file = try LogFile(url)
    columns = try MetricsTable(contentsOf: url, isHeaderOnly: true).columns
  }

  static func url(in folder: URL) -> URL { folder.appending(path: "metrics.csv") }

  private static func header(_ columns: [Scalar]) -> String {
    (["epoch", "step"] + columns.map(\.name)).joined(separator: ",")
  }

  /// Writes the header.
  ///
  /// - Parameter columns: The names of all values that may be logged.
  func begin(_ columns: [Scalar]) throws {
    self.columns = columns
    try append(Self.header(columns))
  }

  /// Cuts the file back to the size that it had when a state was saved.
  ///
  /// - Parameters:
  ///   - size: The size.
  ///   - columns: The names of all values that may be logged, for a file that has lost its header.
  /// - Returns: What is wrong with the file; nil if nothing is.
  func restore(to size: UInt64, _ columns: [Scalar]) throws -> String? {
    let found = file.size
    let lineBreak = UInt8(ascii: "\n")
    if found >= size, try size == 0 || file.bytes(at: size - 1, count: 1) == [lineBreak] {
      try file.cut(to: size)
    } else {
      // Another program has shortened the file or written it anew. Whole rows stay.
      let bytes = try file.bytes(at: 0, count: Int(found))
      try file.cut(to: UInt64(bytes.lastIndex(of: lineBreak).map { $0 + 1 } ?? 0))
    }
    if file.size == 0 || self.columns.isEmpty { try begin(columns) }
    return file.problem(found: found, expected: size, entries: "rows")
  }

  func log(_ entry: LogEntry) throws {
    let values = Dictionary(entry.values.map { ($0.scalar, $0.value) }) { $1 }
    let cells = columns.map { values[$0].map { "\($0)" } ?? "" }
    try append((["\(entry.epoch)", "\(entry.step)"] + cells).joined(separator: ","))
  }

  private func append(_ line: String) throws {
    try file.append(Data((line + "\n").utf8))
  }
}

/// The contents of a `metrics.csv`.
struct MetricsTable {
  /// The columns after epoch and step.
  let columns: [Scalar]
  let rows: [(epoch: Int, values: [Scalar: Double])]

  /// Reads a file; one that is empty or absent has no rows.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - isHeaderOnly: Whether the rows are left out.
  /// - Throws: ``DataError`` if it cannot be read or is damaged.
  init(contentsOf url: URL, isHeaderOnly: Bool = false) throws {
    let path = url.path(percentEncoded: false)
    let text =
      try FileManager.default.fileExists(atPath: path)
      ? withFile(url, "read") { try String(contentsOf: url, encoding: .utf8) } : ""
    func damaged(_ expected: String, line: Int) -> DataError {
      DataError(.damaged, "\(path): expected \(expected) in line \(line), got something else")
    }
    // What follows the last line break is a row that was only half written.
    // Spreadsheets end lines with CR and LF, and may begin the file with a byte-order mark.
    let lines = text.drop(while: { $0 == "\u{FEFF}" })
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast()
    guard let header = lines.first else {
      (columns, rows) = ([], [])
      return
    }
    let names = header.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard let epochs = names.firstIndex(of: "epoch"), names.contains("step") else {
      throw damaged("columns epoch, step, lr, train_loss …", line: 1)
    }
    columns = names.filter { !["epoch", "step"].contains($0) }.map { Scalar($0) }
    rows = try lines.enumerated().dropFirst(isHeaderOnly ? lines.count : 1).map { index, line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == names.count, let epoch = Int(cells[epochs]) else {
        throw damaged("an epoch and \(names.count - 1) more cells", line: index + 1)
      }
      var values: [Scalar: Double] = [:]
      for (name, cell) in zip(names, cells) where name != "epoch" && !cell.isEmpty {
        guard let value = Double(cell) else {
          // A column that this program did not write may hold anything.
          guard Self.isNumeric(name) else { continue }
          throw damaged("a number as \(printable(name))", line: index + 1)
        }
        values[Scalar(name)] = value
      }
      return (epoch, values)
    }
  }

  private static func isNumeric(_ name: String) -> Bool {
    name == "step" || Scalar.all(of: ["loss", "acc"]).contains { $0.name == name }
  }
}

/// A file that grows at its end, and can be cut back to an earlier size.
///
/// Nothing is buffered: appended bytes are in the file even if the program is killed.
final class LogFile {
  let url: URL
  private let file: FileHandle
  /// The bytes in the file.
  private(set) var size: UInt64

  /// Opens a file at its end; creates an empty one if there is none.
  ///
  /// - Throws: ``DataError`` if it cannot be written, or is not a regular file: a symbolic link is not
  ///   followed.
  init(_ url: URL) throws {
    self.url = url
    file = FileHandle(
      fileDescriptor: try openFile(url, O_RDWR | O_CREAT), closeOnDealloc: true)
    let file = file
    size = try withFile(url, "write") { try file.seekToEnd() }
  }

  /// Some bytes of the file; fewer at its end.
  func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
    try withFile(url, "read") {
      try file.seek(toOffset: offset)
      let bytes = try file.read(upToCount: count) ?? Data()
      try file.seek(toOffset: size)
      return [UInt8](bytes)
    }
  }

  /// Waits until the file is on the disk.
  func synchronize() throws {
    try withFile(url, "write") {
      do {
        try file.synchronize()
      } catch let error as NSError where error.code == Int(EINVAL) || error.code == Int(EROFS) {
        // Some file systems cannot do that.
      }
    }
  }

  /// What is wrong with a log that had another size when the state was saved; nil if nothing is.
  ///
  /// - Parameters:
  ///   - found: The size that it has.
  ///   - expected: The size that it had.
  ///   - entries: What the log consists of: rows or records.
  func problem(found: UInt64, expected: UInt64, entries: String) -> String? {
    guard size != expected else { return nil }
    let path = url.path(percentEncoded: false)
    return found < expected
      ? "\(path): expected at least \(expected) bytes, as when the training state was saved, got "
        + "\(found); missing \(entries) are not restored"
      : "\(path): another program has changed it since the training state was saved; its \(entries) "
        + "are kept, and some may appear twice"
  }

  /// Writes bytes at the end, all of them or none.
  ///
  /// - Throws: ``DataError`` if they cannot be written.
  func append(_ data: Data) throws {
    do {
      try withFile(url, "write") { try file.write(contentsOf: data) }
    } catch {
      // A part of them may be there.
      try? file.truncate(atOffset: size)
      _ = try? file.seekToEnd()
      throw error
    }
    size += UInt64(data.count)
  }

  /// Removes everything after the first `size` bytes.
  func cut(to size: UInt64) throws {
    guard size < self.size else { return }
    try withFile(url, "write") {
      try file.truncate(atOffset: size)
      try file.seek(toOffset: size)
    }
    self.size = size
  }
}
