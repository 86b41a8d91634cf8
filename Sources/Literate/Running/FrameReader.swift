/// Splits the bytes of a notebook's standard error pipe into standard error, standard output and
/// events, in order. The frames are defined in `Sources/CStandardOutput/shim.h`.
package struct FrameReader {
  package enum Piece: Equatable {
    case text([UInt8], Page.Stream)
    case event(Event)
  }

  private var bytes: [UInt8] = []
  /// The part of an event's line read so far.
  private var line: [UInt8] = []

  package init() {}

  /// Reads bytes from the pipe and returns the pieces they complete.
  package mutating func read(_ next: some Sequence<UInt8>) -> [Piece] {
    bytes += next
    var pieces: [Piece] = []
    var rest = bytes[...]
    while let piece = takePiece(from: &rest) { pieces += piece }
    bytes = Array(rest)
    return pieces
  }

  /// The rest at the end of the pipe, such as a frame truncated by a kill.
  package mutating func finish() -> [Piece] {
    defer { bytes = [] }
    return bytes.isEmpty ? [] : [.text(bytes, .standardError)]
  }

  /// Takes the next frame or the text before it; `nil` if more bytes are needed.
  private mutating func takePiece(from rest: inout ArraySlice<UInt8>) -> [Piece]? {
    guard !rest.isEmpty else { return nil }
    switch Head(rest) {
    case .frame(let kind, let start, let count):
      guard rest.endIndex - start >= count else { return nil }
      let contents = rest[start..<start + count]
      rest = rest[(start + count)...]
      return kind == UInt8(ascii: "O")
        ? [.text(Array(contents), .standardOutput)] : events(in: contents)
    case .incomplete: return nil
    case .none:
      // An escape that starts no frame is part of the text.
      let end = rest.dropFirst().firstIndex(of: Head.escape) ?? rest.endIndex
      let text = Array(rest[..<end])
      rest = rest[end...]
      return [.text(text, .standardError)]
    }
  }

  private mutating func events(in contents: ArraySlice<UInt8>) -> [Piece] {
    line += contents
    guard line.last == UInt8(ascii: "\n") else { return [] }
    defer { line = [] }
    let event = try? Event(line: String(decoding: line, as: UTF8.self))
    return event.map { [.event($0)] } ?? []
  }

  /// The start of the remaining bytes.
  private enum Head {
    case frame(kind: UInt8, start: Int, count: Int)
    case incomplete
    case none

    static let escape: UInt8 = 0x1b

    init(_ bytes: ArraySlice<UInt8>) {
      let start: [UInt8] = [Self.escape, UInt8(ascii: "_")]
      let head = bytes.prefix(12)
      guard head.prefix(2).elementsEqual(start.prefix(head.count)) else {
        self = .none
        return
      }
      guard let kind = head.dropFirst(2).first else {
        self = .incomplete
        return
      }
      let digits = head.dropFirst(3).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      switch bytes[digits.endIndex...].first {
      case nil: self = .incomplete
      case UInt8(ascii: ";"):
        let kinds: [UInt8] = [UInt8(ascii: "O"), UInt8(ascii: "R")]
        // Frames are small: anything larger is text of the notebook, which must not be held back.
        guard kinds.contains(kind), let count = Int(String(decoding: digits, as: UTF8.self)),
          count <= 1 << 16
        else {
          self = .none
          return
        }
        self = .frame(kind: kind, start: digits.endIndex + 1, count: count)
      default: self = .none
      }
    }
  }
}
