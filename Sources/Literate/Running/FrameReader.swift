/// Takes the pipe of a notebook's standard error apart: into what was written to standard error,
/// printed, and reported, in order. See `Sources/CStandardOutput/shim.h` for the frames.
package struct FrameReader {
  package enum Piece: Equatable {
    case text([UInt8], Page.Stream)
    case event(Event)
  }

  private var bytes: [UInt8] = []
  /// The part of an event's line that is there.
  private var line: [UInt8] = []

  package init() {}

  /// The pieces that are complete with the next bytes of the pipe.
  package mutating func read(_ next: some Sequence<UInt8>) -> [Piece] {
    bytes += next
    var pieces: [Piece] = []
    var rest = bytes[...]
    while let piece = takePiece(from: &rest) { pieces += piece }
    bytes = Array(rest)
    return pieces
  }

  /// What is left when the pipe has ended, such as a frame that a kill cut off.
  package mutating func finish() -> [Piece] {
    defer { bytes = [] }
    return bytes.isEmpty ? [] : [.text(bytes, .standardError)]
  }

  /// The pieces that the next frame, or the text before it, completes; nil when more bytes have to
  /// come.
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
      // A single escape begins no frame: it is a part of the text.
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

  /// What stands at the start of some bytes.
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
        let count = Int(String(decoding: digits, as: UTF8.self)) ?? 0
        self = .frame(kind: kind, start: digits.endIndex + 1, count: count)
      default: self = .none
      }
    }
  }
}
