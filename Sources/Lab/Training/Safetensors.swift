import Foundation
import LabData
import LabTensors

/// Named tensors in a file of the safetensors format: eight bytes with the length of a JSON header,
/// the header, and the elements, little-endian.
///
/// Python's `safetensors.torch.load_file` reads these files, and this type reads those of Python.
/// Floats of 16 bits (`F16`, `BF16`) become floats of 32 bits when they are read.
public struct Safetensors {
  /// The type of floats in a file.
  public enum FloatType: String, CaseIterable, Sendable {
    /// 32 bits, as in memory.
    case float32 = "F32"
    /// 16 bits: 5 for the exponent, 10 for the fraction. Numbers are rounded; those of 65,520 and more
    /// become infinite.
    case float16 = "F16"
    /// 16 bits: 8 for the exponent, 7 for the fraction. Numbers are rounded.
    case bfloat16 = "BF16"

    /// Bytes of a number.
    fileprivate var size: Int { self == .float32 ? 4 : 2 }
  }

  /// The tensors of 32-bit floats by name.
  public var tensors: [String: Tensor]
  /// The tensors of 64-bit integers by name.
  public var integers: [String: IntTensor]
  /// Texts about the file, by name.
  public var metadata: [String: String]

  /// - Parameters:
  ///   - tensors: The tensors of 32-bit floats by name.
  ///   - integers: The tensors of 64-bit integers by name.
  ///   - metadata: Texts about the file, by name.
  public init(
    tensors: [String: Tensor], integers: [String: IntTensor] = [:],
    metadata: [String: String] = [:]
  ) {
    self.tensors = tensors
    self.integers = integers
    self.metadata = metadata
  }

  private struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    let dataOffsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  /// No sensible model has a longer header.
  private static let longestHeader = 100_000_000

  /// Writes the file, all of it or nothing; the same tensors give the same bytes.
  ///
  /// - Parameters:
  ///   - url: The file; its folder is created if needed.
  ///   - floats: The type of floats in the file.
  /// - Throws: ``DataError`` if it cannot be written.
  public func write(to url: URL, floats: FloatType = .float32) throws {
    try writeWhole(to: url) { file in
      try forEachPiece(floats) { try file.write(contentsOf: $0) }
    }
  }

  /// The bytes of the file; the same tensors give the same bytes.
  package var data: Data {
    get throws {
      var data = Data()
      try forEachPiece(.float32) { data.append($0) }
      return data
    }
  }

  /// Calls `body` with the bytes of the file, a piece after the other: the header and each tensor.
  private func forEachPiece(
    _ floats: FloatType, _ body: (Data) throws -> Void
  ) throws {
    // Each tensor starts at a multiple of its elements' size, which strict readers expect: the largest
    // elements come first, as in Python's files.
    let integers = integers.sorted { $0.key < $1.key }
    let tensors = tensors.sorted { $0.key < $1.key }
    try body(header(integers, tensors, floats))
    for (_, tensor) in integers { try body(tensor.littleEndianBytes) }
    for (_, tensor) in tensors { try body(tensor.littleEndianBytes(floats)) }
  }

  /// The length of the header and the header itself.
  private func header(
    _ integers: [(key: String, value: IntTensor)], _ tensors: [(key: String, value: Tensor)],
    _ floats: FloatType
  ) throws -> Data {
    var header: [String: JSONValue] = [:]
    if !metadata.isEmpty { header["__metadata__"] = .texts(metadata) }
    var offset = 0
    let named =
      integers.map { ($0.key, "I64", 8, $0.value.shape) }
      + tensors.map { ($0.key, floats.rawValue, floats.size, $0.value.shape) }
    for (name, type, size, shape) in named {
      let end = offset + shape.reduce(size, *)
      header[name] = .entry(Entry(dtype: type, shape: shape, dataOffsets: [offset, end]))
      offset = end
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = try encoder.encode(header)
    // The elements start at a multiple of eight bytes.
    text.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8))
    var length = Data()
    length.append(littleEndian: UInt64(text.count))
    return length + text
  }

  /// Reads a file.
  ///
  /// - Parameter url: The file.
  /// - Throws: ``DataError`` if it cannot be read, is not a safetensors file, is cut short, or holds
  ///   other types than floats of 32 or 16 bits and 64-bit integers.
  public init(contentsOf url: URL) throws {
    let data = try withFile(url, "read") { try Data(contentsOf: url, options: .mappedIfSafe) }
    try self.init(data, named: url.path(percentEncoded: false))
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The name of the file, for messages.
  /// - Throws: ``DataError`` as for a file.
  package init(_ data: Data, named path: String) throws {
    func damaged(_ what: String) -> DataError { DataError(.damaged, "\(path): \(what)") }
    guard data.count >= 8 else {
      throw damaged("expected a safetensors file, got \(data.count) bytes")
    }
    let length = UInt64(bitPattern: Int64(data.littleEndian(at: 0, bytes: 8)))
    guard length <= Self.longestHeader, Int(length) <= data.count - 8 else {
      throw damaged("expected a safetensors file, got a header of \(length) bytes in \(data.count)")
    }
    let start = 8 + Int(length)
    let header: [String: JSONValue]
    do {
      header = try JSONDecoder().decode([String: JSONValue].self, from: data[8..<start])
    } catch {
      throw damaged("expected a safetensors file, got a header that is not the JSON of one")
    }
    (tensors, integers, metadata) = ([:], [:], [:])
    var entries: [(name: String, entry: Entry)] = []
    for (name, value) in header {
      switch value {
      case .null where name == "__metadata__": break
      case .null: throw damaged("expected the entry of \(printable(name)), got null")
      case .texts(let texts):
        guard name == "__metadata__" else {
          throw damaged("expected dtype, shape and data_offsets of \(printable(name)), got others")
        }
        metadata = texts
      case .entry(let entry):
        guard let size = Self.elementSize[entry.dtype] else {
          throw damaged(
            "expected floats (F32, F16 or BF16) or 64-bit integers (I64), got "
              + "\(printable(entry.dtype)) in \(printable(name))")
        }
        let offsets = entry.dataOffsets
        // Strides are products of extents, so that these must fit an Int even if another extent is 0.
        let product = ([size] + entry.shape.filter { $0 != 0 }).reduce(1) {
          $0 < 0 || $1 < 0 ? -1 : $0.multiplied(by: $1)
        }
        let bytes = product > 0 && entry.shape.contains(0) ? 0 : product
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0],
          offsets[1] <= data.count - start, offsets[1] - offsets[0] == bytes
        else {
          throw damaged(
            "expected data_offsets for shape \(printable("\(entry.shape)")) of "
              + "\(printable(name)), got \(printable("\(offsets)"))")
        }
        entries.append((name, entry))
      }
    }
    // The format allows no gaps and no overlaps: otherwise a small file could demand any amount of
    // memory.
    entries.sort {
      let (a, b) = ($0.entry.dataOffsets, $1.entry.dataOffsets)
      return (a[0], a[1], $0.name) < (b[0], b[1], $1.name)
    }
    var end = 0
    for (name, entry) in entries {
      guard entry.dataOffsets[0] == end else {
        throw damaged(
          "expected the bytes of \(printable(name)) from \(end) on, got \(entry.dataOffsets)")
      }
      end = entry.dataOffsets[1]
    }
    guard end == data.count - start else {
      throw damaged("expected \(end) bytes of tensors, got \(data.count - start)")
    }
    for (name, entry) in entries {
      let elements = data[start + entry.dataOffsets[0]..<start + entry.dataOffsets[1]]
      if let type = FloatType(rawValue: entry.dtype) {
        tensors[name] = Tensor(littleEndian: elements, type, shape: entry.shape)
      } else {
        integers[name] = IntTensor(littleEndian: elements, shape: entry.shape)
      }
    }
  }

  /// The bytes of an element of each type that can be read.
  private static let elementSize = ["F32": 4, "F16": 2, "BF16": 2, "I64": 8]

  /// The value of a name in the header.
  private enum JSONValue: Codable {
    case texts([String: String])
    case entry(Entry)
    case null

    init(from decoder: any Decoder) throws {
      if (try? decoder.singleValueContainer().decodeNil()) == true {
        self = .null
      } else if let texts = try? [String: String](from: decoder) {
        self = .texts(texts)
      } else {
        self = .entry(try Entry(from: decoder))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .texts(let texts): try texts.encode(to: encoder)
      case .entry(let entry): try entry.encode(to: encoder)
      case .null: try [String: String]?.none.encode(to: encoder)
      }
    }
  }
}

extension Int {
  /// The product; -1 if it is too large.
  fileprivate func multiplied(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? -1 : product
  }
}

extension Tensor {
  /// The elements as bytes of a file.
  fileprivate func littleEndianBytes(_ type: Safetensors.FloatType) -> Data {
    switch type {
    case .float32:
      #if _endian(little)
        // The bytes in memory: states are saved often, and mapping takes longer than writing.
        elements.withUnsafeBytes { Data($0) }
      #else
        bytes(elements.map(\.bitPattern))
      #endif
    case .float16: bytes(elements.map(HalfPrecision.float16))
    case .bfloat16: bytes(elements.map(HalfPrecision.bfloat16))
    }
  }

  fileprivate init(littleEndian data: Data, _ type: Safetensors.FloatType, shape: [Int]) {
    let elements: [Float] =
      switch type {
      case .float32: numbers(in: data).map { Float(bitPattern: $0) }
      case .float16: numbers(in: data).map(HalfPrecision.float(float16:))
      case .bfloat16: numbers(in: data).map(HalfPrecision.float(bfloat16:))
      }
    self.init(elements, shape: shape)
  }
}

extension IntTensor {
  /// The elements as bytes of a file.
  fileprivate var littleEndianBytes: Data { bytes(elements.map { Int64($0) }) }

  fileprivate init(littleEndian data: Data, shape: [Int]) {
    self.init(numbers(in: data).map { (number: Int64) in Int(number) }, shape: shape)
  }
}

/// Numbers, little-endian.
private func bytes(_ numbers: [some FixedWidthInteger]) -> Data {
  numbers.map(\.littleEndian).withUnsafeBytes { Data($0) }
}

/// The inverse of ``bytes(_:)``.
private func numbers<Number: FixedWidthInteger>(in data: Data) -> [Number] {
  data.withUnsafeBytes { bytes in
    stride(from: 0, to: bytes.count, by: MemoryLayout<Number>.size).map {
      Number(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Number.self))
    }
  }
}
