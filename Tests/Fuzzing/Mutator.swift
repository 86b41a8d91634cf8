/// Damages files, each time in another way, and in the same ways for the same seed.
package struct Mutator {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  /// A number of 0..<bound.
  ///
  /// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (2014).
  package mutating func integer(below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(max(bound, 1)))
  }

  private mutating func byte() -> UInt8 { UInt8(integer(below: 256)) }

  /// Another version of a file, with one to four kinds of damage.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - others: Files of its kind, to take pieces from.
  package mutating func damaged(_ file: [UInt8], others: [[UInt8]]) -> [UInt8] {
    var bytes = file
    for _ in 0...integer(below: 4) {
      switch integer(below: 10) {
      case 0, 1: flipBit(&bytes)
      case 2: replaceByte(&bytes)
      case 3: cut(&bytes)
      case 4: insert(&bytes)
      case 5: copy(from: others[integer(below: others.count)], into: &bytes)
      case 6: writeNumber(&bytes)
      case 7: writeSize(&bytes)
      case 8: count(&bytes)
      default: replaceDigits(&bytes)
      }
    }
    return bytes
  }

  private mutating func flipBit(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    bytes[integer(below: bytes.count)] ^= 1 << UInt8(integer(below: 8))
  }

  private mutating func replaceByte(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    bytes[integer(below: bytes.count)] = byte()
  }

  /// Takes away the end, or a piece.
  private mutating func cut(_ bytes: inout [UInt8]) {
    let start = integer(below: bytes.count + 1)
    let length =
      integer(below: 2) == 0 ? bytes.count : integer(below: 1 << integer(below: 10))
    bytes.removeSubrange(start..<min(bytes.count, start + length))
  }

  private mutating func insert(_ bytes: inout [UInt8]) {
    let value = byte()
    let isNoise = integer(below: 2) == 0
    let piece = (0..<integer(below: 1 << integer(below: 10))).map { _ in
      isNoise ? byte() : value
    }
    bytes.insert(contentsOf: piece, at: integer(below: bytes.count + 1))
  }

  /// Writes a piece of a file over some place of this one.
  private mutating func copy(from other: [UInt8], into bytes: inout [UInt8]) {
    guard !bytes.isEmpty, !other.isEmpty else { return }
    let source = integer(below: other.count)
    let length = 1 + integer(below: 1 << integer(below: 8))
    let piece = other[source..<min(other.count, source + length)]
    let start = integer(below: bytes.count)
    bytes.replaceSubrange(start..<min(bytes.count, start + piece.count), with: piece)
  }

  /// Numbers at which sums and products of sizes go wrong.
  private static let edges: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
    0x1_0000_0000, 0x3fff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max,
  ]

  private mutating func writeNumber(_ bytes: inout [UInt8]) {
    write(Self.edges[integer(below: Self.edges.count)], into: &bytes)
  }

  /// Writes a number close to the file's own size, or larger.
  private mutating func writeSize(_ bytes: inout [UInt8]) {
    let size = UInt64(bytes.count) << UInt64(integer(below: 24))
    write(size &+ UInt64(integer(below: 17)) &- 8, into: &bytes)
  }

  private mutating func write(_ number: UInt64, into bytes: inout [UInt8]) {
    let width = 1 << integer(below: 4)
    guard bytes.count >= width else { return }
    // Most formats have their sizes at multiples of four.
    var place = integer(below: bytes.count - width + 1)
    if integer(below: 2) == 0 { place &= ~3 }
    let isBig = integer(below: 2) == 0
    for i in 0..<width {
      bytes[place + (isBig ? width - 1 - i : i)] = UInt8(truncatingIfNeeded: number >> (8 * i))
    }
  }

  /// Makes a byte a little larger or smaller.
  private mutating func count(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    bytes[integer(below: bytes.count)] &+= UInt8(truncatingIfNeeded: integer(below: 33) - 16)
  }

  private static let numbers = [
    "0", "-1", "1", "4", "4294967296", "4611686018427387904", "9223372036854775807",
    "9223372036854775808", "1e3", "1.5", "1e999", "null", "true", "[]", "{}", "\"F32\"", "\"\\n\"",
  ]

  /// Puts another number, or what is none, in the place of digits in a text.
  private mutating func replaceDigits(_ bytes: inout [UInt8]) {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    let starts = bytes.indices.filter { isDigit(bytes[$0]) && ($0 == 0 || !isDigit(bytes[$0 - 1])) }
    guard !starts.isEmpty else { return writeNumber(&bytes) }
    let start = starts[integer(below: starts.count)]
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    let number = Self.numbers[integer(below: Self.numbers.count)]
    bytes.replaceSubrange(start..<end, with: Array(number.utf8))
  }
}
