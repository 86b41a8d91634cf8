import Foundation
import Literate
import Testing

/// Runs if Chromium is installed.
@Suite(.enabled(if: Browser.installed != nil), .serialized)
struct BrowserTests {
  private enum Kind: CaseIterable {
    case page, gallery
  }

  private func report(
    _ kind: Kind, width: Int, dark: Bool = false
  ) throws -> Browser.Report {
    let browser = try #require(Browser.installed)
    return try withSampleFolder { folder in
      let figures = folder.appending(path: SamplePage.page.name)
      try FileManager.default.createDirectory(at: figures, withIntermediateDirectories: true)
      try SamplePage.writeFigures(to: figures)
      try PageWriter(SamplePage.page).write(to: figures)
      try GalleryWriter([SamplePage.page]).write(to: folder)
      let file = (kind == .page ? figures : folder).appending(path: "index.html")
      return try browser.open(file, width: width, dark: dark)
    }
  }

  @Test(arguments: Kind.allCases, [390, 1280])
  private func opensWithoutConsoleMessages(kind: Kind, width: Int) throws {
    let report = try report(kind, width: width)
    #expect(report.consoleLines == [])
    #expect(report.requests == [])
    #expect(report.overflow == 0)
    #expect(report.figures.count == (kind == .page ? 2 : 1))
    for figure in report.figures {
      #expect(figure.naturalWidth > 0)
      #expect(figure.width == "\(figure.naturalWidth)")
      #expect(Int(figure.height ?? "").map { $0 > 0 } == true)
      #expect(figure.alternativeText?.isEmpty == false)
    }
  }

  @Test(arguments: Kind.allCases)
  private func followsTheColorScheme(kind: Kind) throws {
    let light = try report(kind, width: 390).background
    let dark = try report(kind, width: 390, dark: true).background
    #expect([light, dark] == ["rgb(253, 252, 250)", "rgb(21, 23, 27)"])
  }

  /// Checks that the tests above would detect problems.
  @Test func theProbeDetectsProblems() throws {
    let browser = try #require(Browser.installed)
    let report = try withSampleFolder { folder in
      let page = folder.appending(path: "wrong.html")
      let html = """
        <!DOCTYPE html><img src="http://127.0.0.1:9/a.png"><img src="missing.png">
        <div style="width: 900px">wide</div><script>console.error("wrong")</script>
        """
      try Data(html.utf8).write(to: page)
      return try browser.open(page, width: 390)
    }
    #expect(report.consoleLines?.contains { $0.contains("wrong") } == true)
    #expect(report.requests == ["http://127.0.0.1:9/a.png"])
    #expect(report.overflow > 500)
    #expect(report.figures.map(\.naturalWidth) == [0, 0])
    #expect(report.figures.map(\.width) == [nil, nil])
  }
}
