import Literate
import Testing

struct EventTests {
  /// Logs of older versions have no levels.
  @Test func olderTolerancesAreRead() throws {
    let line =
      #"{"event":"cell","title":"A","line":1,"expectedToFail":false,"ignoring":[],"#
      + #""tolerance":{"numbers":0.5,"share":0,"pixels":0.25}}"#
    guard case .cell(let opening) = try Event(line: line) else {
      Issue.record("expected a cell")
      return
    }
    #expect(opening.tolerance == .init(numbers: 0.5, pixels: 0.25))
  }

  @Test(arguments: [
    #"{"event":"start"}"#,
    #"{"event":"parameters","values":[{"name":"seed","value":"42"}]}"#,
    #"{"event":"data","folder":"/data"}"#,
    #"{"event":"fact","name":"Kernels","value":"avx2"}"#,
    #"{"event":"cell","expectedToFail":true,"ignoring":["Time"],"line":3,"peakMemory":9,"#
      + #""time":1.5,"title":"The data","tolerance":{"levels":3,"numbers":0.5,"pixels":0.25,"share":0.1}}"#,
    #"{"event":"text","stream":"standardError","text":"\"é\n"}"#,
    #"{"event":"progress","text":"99 %"}"#,
    #"{"event":"progress","isErased":true,"text":"99 %"}"#,
    #"{"alternativeText":"A","event":"figure","file":"a.png","height":2,"width":1}"#,
    #"{"event":"failure","line":7,"message":"no"}"#,
    #"{"event":"cellEnd","peakMemory":3,"seconds":0.5}"#,
    #"{"event":"cellEnd"}"#,
    #"{"event":"end","failure":{"message":"no"},"seconds":2}"#,
    #"{"event":"end"}"#,
  ])
  func isOneLineOfJSON(line: String) throws {
    #expect(try Event(line: line).line == line + "\n")
  }

  @Test func unknownEventsAreRefused() {
    #expect(throws: (any Error).self) { try Event(line: #"{"event":"cells"}"#) }
  }
}
