import Foundation

/// A page in GitHub-flavored Markdown with links to the figures beside it.
struct MarkdownPage {
  private let page: Page
  private let place: PagePlace

  init(_ page: Page, place: PagePlace) {
    self.page = page
    self.place = place
  }

  /// The Markdown of the page.
  var text: String {
    joinedBlocks(
      [
        page.markdownHeader(sign: "[!CAUTION]\n", place.other("\(page.name).md")),
        page.markdownFacts,
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
    case .times(let text): fenced(text, as: "text")
    case .inspection(let inspection):
      joinedBlocks([
        fenced(inspection.line, as: "text"),
        inspection.figure.map { self.text(of: .figure($0)) } ?? "",
      ])
    case .cached(let cached): "*\(escapedForMarkdown(cached.sentence))*"
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

/// Escapes text so that Markdown shows it unchanged, in one line.
package func escapedForMarkdown(_ text: String) -> String {
  plainText(text).replacing(/[\\`*_\[\]<>|&~#$]/) { "\\\($0.0)" }.replacing("\n", with: " ")
}

/// A fenced code block, whose fence is longer than any run of backticks in the text; empty for empty
/// text.
package func fenced(_ text: String, as language: String) -> String {
  let text = text.trimmingCharacters(in: .newlines)
  guard !text.isEmpty else { return "" }
  var (longest, current) = (0, 0)
  for byte in text.utf8 {
    current = byte == UInt8(ascii: "`") ? current + 1 : 0
    longest = max(longest, current)
  }
  let fence = String(repeating: "`", count: max(3, longest + 1))
  return "\(fence)\(language)\n\(text)\n\(fence)"
}

/// Joins blocks of Markdown with empty lines; empty blocks are left out.
package func joinedBlocks(_ blocks: [String]) -> String {
  blocks.map { $0.trimmingCharacters(in: .newlines) }.filter { !$0.isEmpty }
    .joined(separator: "\n\n")
}

/// A block quote of blocks of Markdown.
package func quoted(_ blocks: [String]) -> String {
  joinedBlocks(blocks).split(separator: "\n", omittingEmptySubsequences: false)
    .map { $0.isEmpty ? ">" : "> \($0)" }.joined(separator: "\n")
}

extension Page {
  /// The title, the failure if there is one, and the introduction.
  ///
  /// - Parameters:
  ///   - sign: The marker that makes GitHub draw a block quote as an alert.
  ///   - other: The link to the page of the other run.
  func markdownHeader(
    sign: String = "", _ other: (sentence: String, link: String, address: String)? = nil
  ) -> String {
    var blocks = ["# \(escapedForMarkdown(title))"]
    if case .failed(let message, _) = state {
      let place = "\(sign)**\(escapedForMarkdown(placeOfFailure))**"
      blocks.append(quoted([place, fenced(plainText(message), as: "text")]))
    }
    if let other { blocks.append("\(other.sentence) [\(other.link)](\(other.address))") }
    return joinedBlocks(blocks + [introduction])
  }

  /// The facts and the time of the run as a table; empty if there are none.
  var markdownFacts: String {
    var rows = facts
    if let seconds { rows.append(Fact("Time", duration(seconds))) }
    guard !rows.isEmpty else { return "" }
    return "| This run | |\n| --- | --- |\n"
      + rows.map { "| \(escapedForMarkdown($0.name)) | \(escapedForMarkdown($0.value)) |" }
      .joined(separator: "\n")
  }
}
