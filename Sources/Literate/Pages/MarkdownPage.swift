/// A page in GitHub's Markdown, with links to the figures beside it.
struct MarkdownPage {
  private let page: Page

  init(_ page: Page) {
    self.page = page
  }

  /// The file's text.
  var text: String {
    joinedBlocks(
      [
        page.markdownHeader(sign: "[!CAUTION]\n"), page.markdownFacts,
        fenced(page.setup, as: "swift"),
      ] + page.cells.map(text(of:))) + "\n"
  }

  private func text(of cell: Page.Cell) -> String {
    joinedBlocks(
      [
        "## \(escapedForMarkdown(cell.title))", cell.prose,
        fenced(cell.code, as: "swift"),
      ] + cell.shownOutputs.map(text(of:)) + [state(of: cell), amounts(of: cell)])
  }

  private func text(of output: Page.Output) -> String {
    switch output {
    case .text(let text, .standardOutput): fenced(text, as: "text")
    case .text(let text, .standardError):
      joinedBlocks(["Standard error:", fenced(text, as: "text")])
    case .figure(let figure):
      "![\(escapedForMarkdown(figure.alternativeText))](\(linkAddress(figure.file)))"
    }
  }

  private func state(of cell: Page.Cell) -> String {
    switch cell.state {
    case .passed: ""
    case .notRun: "*Not run.*"
    case .failedAsExpected(let message):
      quoted(["[!NOTE]\n**Failed as expected.**", fenced(plainText(message), as: "text")])
    case .failed(let message, let line):
      quoted([
        "[!CAUTION]\n**Failed at line \(line ?? cell.line).**",
        fenced(plainText(message), as: "text"),
      ])
    }
  }

  private func amounts(of cell: Page.Cell) -> String {
    let amounts = [
      cell.seconds.map(duration), cell.peakMemory.map { "\(amountOfMemory($0)) peak" },
    ].compactMap(\.self)
    return amounts.isEmpty ? "" : "<sub>\(amounts.joined(separator: " · "))</sub>"
  }
}
