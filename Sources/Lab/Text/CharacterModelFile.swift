import Digests
import Foundation
import LabData

/// The file of a ``CharacterModel``.
///
/// ```text
/// "LabCM" 0x01                      the kind of file and its version
/// order, characters                 bytes
/// the alphabet                      a byte each
/// number of n-grams of each length  4 bytes each, little-endian, as all numbers
/// number of characters after each context      a byte each
/// back-off of each context                     32-bit floats
/// last symbol of each n-gram                   a byte each
/// log-probability of each n-gram               32-bit floats
/// SHA-256 of all bytes before, in hexadecimal digits
/// ```
///
/// What a context's suffix is follows from the order of the n-grams.
extension CharacterModel {
  private static let magic = Array("LabCM".utf8) + [1]
  private static let digestCount = 64

  /// The bytes of the file; the same model gives the same bytes.
  package var fileBytes: Data {
    get throws {
      var bytes = Data(Self.magic + [UInt8(order), UInt8(alphabet.count)] + alphabet)
      for length in 1...order {
        bytes.append(littleEndian: UInt32(levelEnds[length] - levelEnds[length - 1]))
      }
      bytes.append(contentsOf: contexts.map { UInt8($0.childCount) })
      bytes.append(floats: contexts.map(\.backoff))
      for context in contexts {
        for symbol in 0...UInt8(alphabet.count) where context.has(symbol) { bytes.append(symbol) }
      }
      bytes.append(floats: Array(logProbabilities.dropFirst()))
      bytes.append(contentsOf: try SHA256.hexadecimal(of: bytes).utf8)
      return bytes
    }
  }

  /// Writes the model to a file, all of it or nothing.
  ///
  /// - Throws: ``DataError`` if it cannot be written.
  public func write(to url: URL) throws {
    let bytes = try fileBytes
    try writeWhole(to: url) { try $0.write(contentsOf: bytes) }
  }

  /// Reads a model from a file.
  ///
  /// - Throws: ``DataError`` if it cannot be read, is damaged, or is not such a file.
  public init(contentsOf url: URL) throws {
    let bytes = try withFile(url, "read") { try Data(contentsOf: url, options: .mappedIfSafe) }
    try self.init(bytes, named: url.path(percentEncoded: false))
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - data: The bytes.
  ///   - path: The name of the file, for messages.
  ///   - checksDigest: Whether other bytes than those that were written are refused at once.
  /// - Throws: ``DataError`` as for a file.
  package init(_ data: Data, named path: String, checksDigest: Bool = true) throws {
    func damaged(_ what: String) -> DataError { DataError(.damaged, "\(path): \(what)") }
    let magic = Self.magic
    guard data.count > magic.count, data.starts(with: magic.dropLast()) else {
      throw damaged("expected a character model, got another file of \(data.count) bytes")
    }
    var reader = ByteReader(data.dropLast(Self.digestCount), from: magic.count)
    let version = data[data.startIndex + magic.count - 1]
    guard version == magic[magic.count - 1] else {
      throw damaged(
        "expected version \(magic[magic.count - 1]) of a character model, got \(version)")
    }
    if checksDigest {
      let digest = try SHA256.hexadecimal(of: data.dropLast(Self.digestCount))
      guard data.suffix(Self.digestCount).elementsEqual(digest.utf8) else {
        throw damaged("expected the bytes that were written, got others: the checksum differs")
      }
    }
    let short = damaged("expected all of a character model, got \(data.count) bytes of it")
    guard let order = reader.byte().map(Int.init), Self.orders.contains(order),
      let characters = reader.byte().map(Int.init), characters <= Self.largestAlphabet,
      let alphabet = reader.bytes(characters)
    else { throw damaged("expected an order and an alphabet, got others") }
    guard zip(alphabet, alphabet.dropFirst()).allSatisfy(<), alphabet.contains(Self.space) else {
      throw damaged("expected an alphabet in ascending order, got another one")
    }
    var levelEnds = [1]
    for _ in 1...order {
      guard let count = reader.number() else { throw short }
      levelEnds.append(levelEnds[levelEnds.count - 1] + Int(count))
    }
    let (contextCount, count) = (levelEnds[order - 1], levelEnds[order])
    guard reader.rest == contextCount * 5 + (count - 1) * 5, count <= Int32.max,
      let childCounts = reader.bytes(contextCount), let backoffs = reader.floats(contextCount),
      let symbols = reader.bytes(count - 1), let numbers = reader.floats(count - 1)
    else { throw short }
    guard (backoffs + numbers).allSatisfy({ $0 <= 1e-4 }) else {
      throw damaged("expected logarithms of probabilities, got a larger number")
    }

    var contexts = [Context](repeating: Context(), count: contextCount)
    var suffixes = [Int32](repeating: 0, count: count - contextCount)
    func suffix(of ngram: Int) -> Int {
      ngram < contextCount ? Int(contexts[ngram].suffix) : Int(suffixes[ngram - contextCount])
    }
    var ngram = 1
    for context in contexts.indices {
      contexts[context].backoff = backoffs[context]
      let length = levelEnds.firstIndex { context < $0 } ?? 0
      let end = ngram + Int(childCounts[context])
      guard end <= levelEnds[length + 1] else {
        throw damaged("expected fewer characters after context \(context)")
      }
      var last = -1
      while ngram < end {
        let symbol = symbols[ngram - 1]
        guard Int(symbol) > last, Int(symbol) <= characters else {
          throw damaged("expected n-grams in ascending order, got another order at \(ngram)")
        }
        last = Int(symbol)
        contexts.add(symbol, to: context, as: ngram)
        var shorter = 0
        if context > 0 {
          // Shorter n-grams come first, so this one was read already.
          guard let found = contexts.child(of: suffix(of: context), symbol) else {
            throw damaged("expected the end of n-gram \(ngram) as an n-gram, got none")
          }
          shorter = found
        }
        if ngram < contextCount {
          contexts[ngram].suffix = Int32(shorter)
        } else {
          suffixes[ngram - contextCount] = Int32(shorter)
        }
        ngram += 1
      }
      guard context + 1 < levelEnds[length] || ngram == levelEnds[length + 1] else {
        throw damaged("expected \(levelEnds[length + 1]) n-grams up to length \(length + 1)")
      }
    }
    self.init(
      order: order, alphabet: alphabet, contexts: contexts, logProbabilities: [0] + numbers,
      suffixes: suffixes, levelEnds: levelEnds)
  }
}

extension CharacterModel.Context {
  /// Whether a symbol was seen after this context.
  fileprivate func has(_ symbol: UInt8) -> Bool {
    (symbol < 64 ? first64 : last64) & 1 << UInt64(symbol & 63) != 0
  }
}

extension Data {
  /// Appends the bytes of floats, little-endian.
  fileprivate mutating func append(floats: [Float]) {
    let patterns = floats.map(\.bitPattern.littleEndian)
    patterns.withUnsafeBytes { append(contentsOf: $0) }
  }
}

/// Reads numbers from bytes, one after the other.
private struct ByteReader {
  private let data: Data
  private var offset: Int

  init(_ data: Data, from offset: Int) {
    self.data = data
    self.offset = data.startIndex + offset
  }

  /// The number of bytes that are left.
  var rest: Int { max(0, data.endIndex - offset) }

  mutating func byte() -> UInt8? { bytes(1)?.first }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    guard count <= rest else { return nil }
    defer { offset += count }
    return Array(data[offset..<offset + count])
  }

  mutating func number() -> UInt32? {
    bytes(4).map { UInt32($0.littleEndian(at: 0, bytes: 4)) }
  }

  mutating func floats(_ count: Int) -> [Float]? {
    guard let bytes = bytes(4 * count) else { return nil }
    return bytes.withUnsafeBytes { bytes in
      (0..<count).map {
        let pattern = bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)
        return Float(bitPattern: UInt32(littleEndian: pattern))
      }
    }
  }
}
