import Foundation
import Literate
import Testing

struct PageEventsTests {
  private func page(
    _ source: String, _ events: [String], lines: [Int]? = nil
  ) throws -> Page {
    Page(
      "n", NotebookSource(source, name: "n"),
      try Event.all(in: Data(events.joined(separator: "\n").utf8)), lines: lines)
  }

  private func opening(_ title: String, line: Int) -> String {
    """
    {"event":"cell","title":"\(title)","line":\(line),"expectedToFail":false,"ignoring":[],\
    "tolerance":{"numbers":0,"share":0,"pixels":0}}
    """
  }

  private func text(_ text: String, _ stream: String = "standardOutput") -> String {
    #"{"event":"text","stream":"\#(stream)","text":"\#(text)\n"}"#
  }

  /// The source's titles are what it says, those of the page what the program said.
  @Test func titlesAreThoseThatTheProgramReports() throws {
    let source = "cell(\"Seed \\(seed)\")\nprint(1)\n\n// Two.\ncell(name)\nprint(2)\n"
    let page = try page(
      source,
      [opening("Seed 7", line: 1), text("1"), opening("Last", line: 5), text("2")],
      lines: [1, 5])
    #expect(page.cells.map(\.title) == ["Seed 7", "Last"])
    #expect(page.cells.map(\.prose) == ["", "Two."])
    #expect(page.cells.map(\.outputs.count) == [1, 1])
    // Names of accepted results do not depend on what is reported.
    #expect(page.cells.map(\.id) == ["seed-seed", "name"])
  }

  /// Prose that grew after the run moves lines, also to where another cell was.
  @Test func cellsAreFoundByTheLinesOfTheSourceThatRan() throws {
    let source = "// # T\n\n// One,\n// two,\n// three.\ncell(\"Seed \\(seed)\")\ncell(\"\\(b)\")\n"
    let page = try page(
      source, [opening("Seed 7", line: 2), text("1"), opening("B", line: 6), text("2")],
      lines: [2, 6])
    #expect(page.cells.map(\.title) == ["Seed 7", "B"])
    #expect(
      page.cells.map(\.outputs) == [
        [.text("1\n", stream: .standardOutput)], [.text("2\n", stream: .standardOutput)],
      ])
  }

  @Test func cellsOfALoopAreAppended() throws {
    let events = (1...3).map { opening("Run \($0)", line: 1) }
    let page = try page("cell(\"Run \\(i)\")\n", events, lines: [1])
    #expect(page.cells.map(\.title) == ["Run 1", "Run 2", "Run 3"])
  }

  @Test func linesOfOneStreamAreOneOutput() throws {
    let page = try page(
      "cell(\"A\")\n",
      [
        text("0"), opening("A", line: 1), text("1"), text("2"), text("3", "standardError"),
        text("4"),
      ])
    #expect(
      page.cells[0].outputs == [
        .text("0\n1\n2\n", stream: .standardOutput), .text("3\n", stream: .standardError),
        .text("4\n", stream: .standardOutput),
      ])
  }

  /// 100,000 lines took minutes when each of them copied those before. The limit only ends a test that
  /// would hang.
  @Test(.timeLimit(.minutes(1)))
  func manyLinesMakeAPage() throws {
    let lines = (1...100_000).map { text("line \($0)") }
    let page = try page("cell(\"A\")\n", [opening("A", line: 1)] + lines)
    guard case .text(let text, .standardOutput)? = page.cells[0].outputs.first else {
      Issue.record("expected text, got \(page.cells[0].outputs.first as Any)")
      return
    }
    #expect(text.hasPrefix("line 1\nline 2\n") && text.hasSuffix("line 100000\n"))
    try withSampleFolder(figures: false) { folder in
      try PageWriter(page).write(to: folder)
      let html = try Data(contentsOf: folder.appending(path: "index.html"))
      #expect(html.count > text.utf8.count)
    }
  }

  @Test func logsMayHaveLinesThatEndAsOnWindows() throws {
    let lines = [opening("A", line: 1), text("a\\u2028b")]
    let log = Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    #expect(try Event.all(in: log).count == 2)
  }
}

/// Pages of records that came from elsewhere.
struct ForeignRecordTests {
  private let secret = "a secret of 20 bytes"

  private func written(figure: String, in folder: URL) throws -> String {
    let page = Page(
      name: "n", title: "N\u{1B}]0;x\u{7}",
      cells: [
        .init(
          id: "a", title: "A", line: 1,
          outputs: [
            .figure(.init(file: figure, alternativeText: "F\u{9B}1m", width: 1, height: 1))
          ], state: .passed)
      ], state: .passed)
    try PageWriter(page).write(to: folder)
    try GalleryWriter([page]).write(to: folder.deletingLastPathComponent())
    let files = ["n/index.html", "n/n.md", "n/n.ipynb", "index.html"]
    return try files.map {
      try String(
        contentsOf: folder.deletingLastPathComponent().appending(path: $0), encoding: .utf8)
    }.joined()
  }

  @Test(arguments: [
    "../secret", "/SECRET", "link.png", "secret.png", "pipe.png", "..", ".", "", "/dev/zero",
  ])
  func figuresAreFilesOfTheFolder(figure: String) throws {
    try withSampleFolder(figures: false) { above in
      let folder = above.appending(path: "n")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let file = above.appending(path: "secret")
      // One of them is a PNG file: also that is not to be shown.
      let png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) + Data(secret.utf8)
      try png.write(to: file)
      try Data(secret.utf8).write(to: folder.appending(path: "secret.png"))
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: "link.png"), withDestinationURL: file)
      mkfifo(folder.appending(path: "pipe.png").path(percentEncoded: false), 0o600)
      let name = figure.replacing("/SECRET", with: file.path(percentEncoded: false))
      let text = try written(figure: name, in: folder)
      #expect(!text.contains(png.base64EncodedString()))
      #expect(!text.contains(Data(secret.utf8).base64EncodedString()))
      #expect(text.contains("is missing. It shows: F1m"))
    }
  }

  @Test func controlCharactersAreLeftOut() throws {
    try withSampleFolder(figures: false) { above in
      let text = try written(figure: "a\u{1B}.png", in: above.appending(path: "n"))
      #expect(text.contains("<h1>N]0;x</h1>"))
      #expect(
        !text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x7 || $0.value == 0x9B })
    }
  }
}
