import Foundation

/// A page in GitHub's Markdown, with links to the figures beside it.
struct MarkdownPage {
  private let page: Page
  private let figures: FigureFiles

  init(_ page: Page, _ figures: FigureFiles) {
    self.page = page
    self.figures = figures
  }

  /// The file's text.
  var text: String {
    var blocks = ["# \(escaped(page.title))"]
    if case .failed(let message, _) = page.state {
      blocks.append(alert("CAUTION", page.placeOfFailure, message))
    }
    blocks.append(page.introduction)
    blocks.append(facts)
    blocks.append(fence(page.setup, "swift"))
    blocks += page.cells.flatMap(blocks(of:))
    return blocks.map { $0.trimmingCharacters(in: .newlines) }.filter { !$0.isEmpty }.joined(
      separator: "\n\n") + "\n"
  }

  private var facts: String {
    guard !page.facts.isEmpty || page.seconds != nil else { return "" }
    var rows = page.facts.map { ($0.name, $0.value) }
    if let seconds = page.seconds { rows.append(("Time", duration(seconds))) }
    return "| This run | |\n| --- | --- |\n"
      + rows.map { "| \(escaped($0)) | \(escaped($1)) |" }.joined(separator: "\n")
  }

  private func blocks(of cell: Page.Cell) -> [String] {
    var blocks = ["## \(escaped(cell.title))", cell.prose, fence(cell.code, "swift")]
    for output in cell.shownOutputs {
      switch output {
      case .text(let text, .standardOutput): blocks.append(fence(text, "text"))
      case .text(let text, .standardError):
        blocks += ["Standard error:", fence(text, "text")]
      case .figure(let figure):
        blocks.append("![\(escaped(figure.alternativeText))](<\(figure.address)>)")
      }
    }
    switch cell.state {
    case .passed: break
    case .notRun: blocks.append("*Not run.*")
    case .failedAsExpected(let message):
      blocks.append(alert("NOTE", "Failed, as expected.", message))
    case .failed(let message, let line):
      blocks.append(alert("CAUTION", line.map { "Failed at line \($0)." } ?? "Failed.", message))
    }
    let amounts = [cell.seconds.map(duration), cell.peakMemory.map(amountOfMemory)].compactMap(
      \.self)
    if !amounts.isEmpty { blocks.append("<sub>\(amounts.joined(separator: " · "))</sub>") }
    return blocks
  }

  /// A box that GitHub draws in a colour of its own; elsewhere a quotation.
  private func alert(_ kind: String, _ sentence: String, _ message: String) -> String {
    let text = "[!\(kind)]\n**\(escaped(sentence))**\n\n\(fence(plainText(message), "text"))"
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? ">" : "> \($0)" }.joined(separator: "\n")
  }

  /// The text between fences that are longer than any run of backticks in it.
  private func fence(_ text: String, _ language: String) -> String {
    let text = text.trimmingCharacters(in: .newlines)
    guard !text.isEmpty else { return "" }
    let longest = text.matches(of: /`+/).map(\.0.count).max() ?? 0
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return "\(fence)\(language)\n\(text)\n\(fence)"
  }

  /// Text that Markdown takes for nothing but text, in one line.
  private func escaped(_ text: String) -> String {
    plainText(text).replacing(/[\\`*_\[\]<>|&~#]/) { "\\\($0.0)" }.replacing("\n", with: " ")
  }
}
