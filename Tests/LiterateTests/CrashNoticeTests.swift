import Literate
import Testing

struct CrashNoticeTests {
  private func told(_ lines: [String]) throws -> [String] {
    var notice = CrashNotice()
    let events = try lines.map {
      try Event(line: #"{"event":"text","stream":"standardError","text":"\#($0)\n"}"#)
    }
    return (events + [try Event(line: #"{"event":"end"}"#)]).flatMap { notice.filter($0) }
      .compactMap { event in
        if case .text(let text) = event { String(text.text.dropLast()) } else { nil }
      }
  }

  @Test func theNoticeAndTheEmptyLinesAroundItAreLeftOut() throws {
    #expect(
      try told(["a", "", "*** Signal 4: Backtracing from 0x55e1... done ***", "", ""]) == ["a"])
  }

  @Test func otherEmptyLinesStay() throws {
    #expect(try told(["a", "", "b", "", ""]) == ["a", "", "b", "", ""])
  }
}
