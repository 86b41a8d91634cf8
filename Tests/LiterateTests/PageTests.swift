import Foundation
import Testing

import Literate

struct PageTests {
  @Test func roundTripsThroughJSON() throws {
    let page = Page(
      name: "01-look", title: "Look",
      cells: [
        .init(
          id: "data", title: "Data", line: 3, prose: "*All* of it.", code: "print(1)",
          outputs: [
            .text("1\n", stream: .standardOutput),
            .figure(.init(file: "a.png", alternativeText: "A", width: 2, height: 3)),
          ], state: .failed(message: "no data", line: 4), seconds: 0.5, peakMemory: 1024)
      ], state: .failed(message: "no data", line: 4), facts: [.init("Seed", "42")])
    let data = try JSONEncoder().encode(page)
    #expect(try JSONDecoder().decode(Page.self, from: data) == page)
  }
}
