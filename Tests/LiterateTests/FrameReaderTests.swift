import Literate
import Testing

struct FrameReaderTests {
  private let fact = Event.fact(.init("Seed", "42"))

  /// The bytes of the pipe: an error, a printed line, an event in two frames, an escape that starts no
  /// frame.
  private func stream() throws -> [UInt8] {
    let line = try fact.line
    let (head, tail) = (line.prefix(10), line.dropFirst(10))
    return Array(
      "oops\u{1b}_O4;out\n\u{1b}_R\(head.utf8.count);\(head)\u{1b}_R\(tail.utf8.count);\(tail)\u{1b}[31mred"
        .utf8)
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func readsFramesSplitAnywhere(size: Int) throws {
    var reader = FrameReader()
    let stream = try stream()
    var pieces: [FrameReader.Piece] = []
    for start in Swift.stride(from: 0, to: stream.count, by: size) {
      pieces += reader.read(stream[start..<min(start + size, stream.count)])
    }
    pieces += reader.finish()
    #expect(texts(pieces, .standardError) == "oops\u{1b}[31mred")
    #expect(texts(pieces, .standardOutput) == "out\n")
    #expect(pieces.contains(.event(fact)))
    let kinds = pieces.map { piece in
      switch piece {
      case .text(_, .standardError): "e"
      case .text(_, .standardOutput): "o"
      case .event: "r"
      }
    }
    // In order, into however many pieces the text is split.
    #expect(kinds.joined().wholeMatch(of: /e+ore+/) != nil)
  }

  @Test func incompleteFramesAreText() {
    var reader = FrameReader()
    #expect(reader.read(Array("\u{1b}_O9;half".utf8)).isEmpty)
    #expect(reader.finish() == [.text(Array("\u{1b}_O9;half".utf8), .standardError)])
  }

  /// What a notebook prints itself holds back nothing that follows.
  @Test(arguments: ["\u{1b}_O999999;", "\u{1b}_O;", "\u{1b}_X3;"])
  func otherSequencesAreText(sequence: String) {
    var reader = FrameReader()
    let pieces = reader.read(Array("\(sequence)text".utf8))
    #expect(texts(pieces, .standardError) == "\(sequence)text")
  }

  private func texts(_ pieces: [FrameReader.Piece], _ stream: Page.Stream) -> String {
    let bytes = pieces.flatMap { piece -> [UInt8] in
      if case .text(let bytes, stream) = piece { bytes } else { [] }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
