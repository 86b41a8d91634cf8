import Foundation

/// A page in GitHub-flavored Markdown with links to the figures beside it.
struct MarkdownPage {
  private let page: Page
  private let place: PagePlace

  init(_ page: Page, place: PagePlace) {
    self.page = page.withoutRepeatedWarnings
    self.place = place
  }

  /// The Markdown of the page.
  var text: String {
    joinedBlocks(
      [
        page.markdownHeader(sign: "[!CAUTION]\n", place.other("\(page.name).md")),
        page.markdownFacts,
        fenced(page.setup, as: "swift"),
      ] + page.cells.map(text(of:)) + [neighbors]) + "\n"
  }

  /// Links to the notebooks before and after this one.
  private var neighbors: String {
    let (previous, next) = place.neighbors { "\($0).md" }
    let links =
      [previous.map { ("← ", $0) }, next.map { ("→ ", $0) }].compactMap(\.self)
      .map { sign, other in "\(sign)[\(escapedForMarkdown(other.title))](\(other.address))" }
    return links.isEmpty ? "" : "---\n\n" + links.joined(separator: " · ")
  }

  private func text(of cell: Page.Cell) -> String {
    joinedBlocks(
      [
        "## \(escapedForMarkdown(cell.title))", cell.prose,
        fenced(cell.code, as: "swift"),
      ] + cell.shownOutputs.map { text(of: $0, in: cell) } + [state(of: cell), amounts(of: cell)])
  }

  private func text(of output: Page.Output, in cell: Page.Cell) -> String {
    switch output {
    case .text(let text, .standardOutput): fenced(text, as: "text")
    case .text(let text, .standardError):
      quoted([
        "[!WARNING]\n" + (cell.errorsTitle == "Warning" ? "" : "**\(cell.errorsTitle)**\n")
          + fenced(text, as: "text")
      ])
    case .times(let text): joinedBlocks(["Times:", fenced(text, as: "text")])
    case .inspection(let inspection):
      joinedBlocks([inspection.markdown, inspection.figure.map(text(of:)) ?? ""])
    case .cached(let cached): "*\(escapedForMarkdown(cached.sentence))*"
    case .check(let check): check.markdown
    case .figure(let figure): text(of: figure)
    }
  }

  /// The figure as a link to its file, at half its resolution: Markdown itself has no size for images.
  private func text(of figure: Page.Figure) -> String {
    let address = linkAddress(figure.file)
    let image: HTML = """
      <img src="\(address)" alt="\(plainText(figure.alternativeText).replacing("\n", with: " "))" \
      width="\(figure.width)">
      """
    return "[\(image.text)](\(address))"
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

extension Page.Check {
  /// The result as an item of a list, with its message below.
  var markdown: String {
    let first = "- \(mark) **\(escapedForMarkdown(name))**: \(amount)"
    guard let message else { return first }
    let lines = fenced(plainText(message), as: "text").split(
      separator: "\n", omittingEmptySubsequences: false)
    return ([first, ""] + lines.map { "  \($0)" }).joined(separator: "\n")
  }
}

extension Page.Inspection {
  /// The value and what is known about it as a table.
  var markdown: String {
    let rows = facts.map { "| \(escapedForMarkdown($0.name)) | \(escapedForMarkdown($0.value)) |" }
    let name = escapedForMarkdown(name)
    return (["| **\(name)** | |", "| --- | --- |"] + rows).joined(separator: "\n")
  }
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
