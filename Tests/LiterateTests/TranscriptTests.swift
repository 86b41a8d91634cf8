import Literate
import Testing

struct TranscriptTests {
  private var transcript = Transcript()

  private mutating func read(_ text: String, _ stream: Page.Stream = .standardOutput) -> [String] {
    transcript.read(Array(text.utf8), from: stream).map(short)
  }

  private mutating func flush() -> [String] { transcript.flush().map(short) }

  /// An event as `out: …`, `error: …` or `bar: …`.
  private func short(_ event: Event) -> String {
    switch event {
    case .text(let text): "\(text.stream == .standardOutput ? "out" : "error"): \(text.text)"
    case .progress(let progress):
      "\(progress.isErased == true ? "erased bar" : "bar"): \(progress.text)"
    default: "\(event)"
    }
  }

  @Test mutating func splitsLines() {
    #expect(read("a") == [])
    #expect(read("é\n\nb") == ["out: aé\n", "out: \n"])
    #expect(flush() == ["out: b"])
    #expect(flush() == [])
  }

  @Test mutating func linesThatEndAsOnWindowsAreLines() {
    #expect(read("a,b\r\n1,2\r\n\r\n\n") == ["out: a,b\n", "out: 1,2\n", "out: \n", "out: \n"])
    #expect(read("a\r") == [])
    #expect(read("\nb\r\r\n") == ["out: a\n", "out: b\n"])
    #expect(read("warning\r\n", .standardError) == ["error: warning\n"])
    #expect(read("\r5 %\r\n", .standardError) == ["bar: 5 %"])
  }

  @Test mutating func keepsTheOrderOfStreams() {
    #expect(read("a") == [])
    #expect(read("b\n", .standardError) == ["out: a", "error: b\n"])
    #expect(read("c\n") == ["out: c\n"])
  }

  @Test mutating func keepsTheLastStateOfAProgressBar() {
    #expect(read("\r10 %\u{1b}[K\r100 %\u{1b}[K\r\u{1b}[K", .standardError) == [])
    #expect(read("done\n") == ["erased bar: 100 %", "out: done\n"])
    #expect(read("\r3 %", .standardError) == [])
    #expect(read("done\n") == ["erased bar: 3 %", "out: done\n"])
    #expect(read("\r4 %\r   \r\n", .standardError) == ["erased bar: 4 %"])
    #expect(read("\r1\r2\n", .standardError) == ["bar: 2"])
    #expect(read("\r\u{1b}[K\n", .standardError) == [])
  }
}

struct CrashNoticeTests {
  private func filtered(_ lines: [String]) throws -> [String] {
    var notice = CrashNotice()
    let events = try lines.map {
      try Event(line: #"{"event":"text","stream":"standardError","text":"\#($0)\n"}"#)
    }
    return (events + [try Event(line: #"{"event":"end"}"#)]).flatMap { notice.filter($0) }
      .compactMap { event in
        if case .text(let text) = event { String(text.text.dropLast()) } else { nil }
      }
  }

  @Test func theNoticeIsRemovedWithTheEmptyLinesAroundIt() throws {
    #expect(
      try filtered(["a", "", "*** Signal 4: Backtracing from 0x55e1... done ***", "", ""]) == ["a"])
  }

  @Test func otherEmptyLinesAreKept() throws {
    #expect(try filtered(["a", "", "b", "", ""]) == ["a", "", "b", "", ""])
  }
}
