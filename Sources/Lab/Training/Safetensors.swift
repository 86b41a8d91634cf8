import Foundation

/// Named tensors in a file of the safetensors format: eight bytes with the length of a JSON header,
/// the header, and the elements, little-endian.
///
/// Python's `safetensors.torch.load_file` reads what this writes, and the reverse.
public struct Safetensors {
  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// Texts about the file, by name.
  public var metadata: [String: String]

  /// - Parameters:
  ///   - tensors: The tensors by name.
  ///   - metadata: Texts about the file, by name.
  public init(tensors: [String: Tensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
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

  /// A header longer than this is not one of ours, nor of any sensible model.
  private static let longestHeader = 100_000_000

  /// Writes the file, whole or not at all; the same tensors give the same bytes.
  ///
  /// - Parameter url: Where to; the folder is made if need be.
  /// - Throws: ``DataError`` if it cannot be written.
  public func write(to url: URL) throws {
    var header: [String: JSONValue] = [:]
    if !metadata.isEmpty { header["__metadata__"] = .texts(metadata) }
    var offset = 0
    let named = tensors.sorted { $0.key < $1.key }
    for (name, tensor) in named {
      let end = offset + tensor.count * 4
      header[name] = .entry(Entry(dtype: "F32", shape: tensor.shape, dataOffsets: [offset, end]))
      offset = end
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = try encoder.encode(header)
    // The elements start at a multiple of eight bytes.
    text.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8))
    try writeWhole(to: url) { file in
      let length = UInt64(text.count)
      try file.write(
        contentsOf: Data((0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }))
      try file.write(contentsOf: text)
      for (_, tensor) in named { try file.write(contentsOf: tensor.littleEndianBytes) }
    }
  }

  /// Reads a file.
  ///
  /// - Parameter url: The file.
  /// - Throws: ``DataError`` if it cannot be read, is no safetensors file, is cut, or holds another
  ///   type than 32-bit floats.
  public init(contentsOf url: URL) throws {
    let path = url.path(percentEncoded: false)
    let data = try withFile(url, "read") { try Data(contentsOf: url, options: .mappedIfSafe) }
    func damaged(_ what: String) -> DataError { DataError(.damaged, "\(path): \(what)") }
    guard data.count >= 8 else {
      throw damaged("expected a safetensors file, got \(data.count) bytes")
    }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
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
    (tensors, metadata) = ([:], [:])
    for (name, value) in header {
      switch value {
      case .texts(let texts): metadata = texts
      case .entry(let entry):
        guard entry.dtype == "F32" else {
          throw damaged("expected 32-bit floats (F32), got \(entry.dtype) in \(name)")
        }
        let offsets = entry.dataOffsets
        let bytes = entry.shape.reduce(4) { $0 < 0 || $1 < 0 ? -1 : $0.multiplied(by: $1) }
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0],
          offsets[1] <= data.count - start, offsets[1] - offsets[0] == bytes
        else {
          throw damaged("\(name) of shape \(entry.shape) does not fit its place \(offsets)")
        }
        let elements = data[start + offsets[0]..<start + offsets[1]]
        tensors[name] = Tensor(littleEndian: elements, shape: entry.shape)
      }
    }
  }

  /// What may stand behind a name in the header.
  private enum JSONValue: Codable {
    case texts([String: String])
    case entry(Entry)

    init(from decoder: any Decoder) throws {
      if let texts = try? [String: String](from: decoder) {
        self = .texts(texts)
      } else {
        self = .entry(try Entry(from: decoder))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .texts(let texts): try texts.encode(to: encoder)
      case .entry(let entry): try entry.encode(to: encoder)
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
  /// The elements as they stand in a file.
  fileprivate var littleEndianBytes: Data {
    var data = Data(capacity: count * 4)
    for element in elements {
      withUnsafeBytes(of: element.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
    return data
  }

  fileprivate init(littleEndian data: Data, shape: [Int]) {
    let elements = data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        Float(
          bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
        )
      }
    }
    self.init(elements, shape: shape)
  }
}
