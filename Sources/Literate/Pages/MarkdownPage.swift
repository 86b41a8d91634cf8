import Foundation

/// A page in GitHub-flavored Markdown with links to the figures beside it.
struct MarkdownPage {
  private let page: Page
  private let place: PagePlace
  private let language: Language

  init(_ page: Page, place: PagePlace) {
    self.page = page.withoutRepeatedWarnings
    self.place = place
    language = place.language
  }

  /// The Markdown of the page.
  var text: String {
    joinedBlocks(
      [
        page.markdownHeader("md", sign: "[!CAUTION]\n", at: place),
        page.markdownFacts(in: language),
        fenced(page.setup, as: "swift"),
      ] + page.cells.map(text(of:)) + [neighbors]) + "\n"
  }

  /// Links to the notebooks before and after this one.
  private var neighbors: String {
    let (previous, next) = place.neighbors { $1.file($0, "md") }
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
        "[!WARNING]\n"
          // GitHub itself says “Warning”.
          + (cell.errorsTitle == .warning ? "" : "**\(language[cell.errorsTitle])**\n")
          + fenced(text, as: "text")
      ])
    case .times(let text): joinedBlocks(["\(language[.times]):", fenced(text, as: "text")])
    case .inspection(let inspection):
      joinedBlocks([inspection.markdown(in: language), inspection.figure.map(text(of:)) ?? ""])
    case .cached(let cached): "*\(escapedForMarkdown(cached.sentence(in: language)))*"
    case .check(let check): check.markdown(in: language)
    case .figure(let figure): text(of: figure)
    }
  }

  /// The figure as a link to its file, at half its resolution: Markdown itself has no size for images.
  private func text(of figure: Page.Figure) -> String {
    let address = linkAddress(figure.file)
    let text = plainText(figure.alternativeText(in: language)).replacing("\n", with: " ")
    let image: HTML = """
      <img src="\(address)" alt="\(text)" \
      width="\(figure.width)">
      """
    return "[\(image.text)](\(address))"
  }

  private func state(of cell: Page.Cell) -> String {
    switch cell.state {
    case .passed: ""
    case .notRun: "*\(language[.notRun]).*"
    case .failedAsExpected(let message):
      quoted([
        "[!NOTE]\n**\(language[.failedAsExpected]).**", fenced(plainText(message), as: "text"),
      ])
    case .failed(let message, let line):
      quoted([
        "[!CAUTION]\n**\(language[.failedAtLine, "\(line ?? cell.line)"]).**",
        fenced(plainText(message), as: "text"),
      ])
    }
  }

  private func amounts(of cell: Page.Cell) -> String {
    let amounts = [
      cell.seconds.map(language.duration),
      cell.peakMemory.map { language[.peak, amountOfMemory($0)] },
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
  func markdown(in language: Language) -> String {
    let first = "- \(mark) **\(escapedForMarkdown(name))**: \(amount(in: language))"
    guard let message else { return first }
    let lines = fenced(plainText(message), as: "text").split(
      separator: "\n", omittingEmptySubsequences: false)
    return ([first, ""] + lines.map { "  \($0)" }).joined(separator: "\n")
  }
}

extension Page.Inspection {
  /// The value and what is known about it as a table.
  func markdown(in language: Language) -> String {
    let rows = facts.map { markdownRow($0, in: language) }
    let name = escapedForMarkdown(name)
    return (["| **\(name)** | |", "| --- | --- |"] + rows).joined(separator: "\n")
  }
}

extension Page {
  /// The title, the failure if there is one, links to other pages, and the introduction.
  ///
  /// - Parameters:
  ///   - extension: The extension of the page's files.
  ///   - sign: The marker that makes GitHub draw a block quote as an alert.
  ///   - place: Where the page is.
  func markdownHeader(
    _ extension: String, sign: String = "", at place: PagePlace
  ) -> String {
    func file(_ language: Language) -> String { language.file(name, `extension`) }
    var blocks = ["# \(escapedForMarkdown(title))"]
    if case .failed(let message, _) = state {
      let failure = placeOfFailure(in: place.language)
      blocks.append(
        quoted([
          "\(sign)**\(escapedForMarkdown(failure))**", fenced(plainText(message), as: "text"),
        ]))
    }
    if let other = place.other(file) {
      blocks.append("\(other.sentence) [\(other.link)](\(other.address))")
    }
    let others = place.otherLanguages.map { "[\($0.name)](\(linkAddress(file($0))))" }
    blocks.append(others.joined(separator: " · "))
    return joinedBlocks(blocks + [introduction])
  }

  /// The facts and the time of the run as a table; empty if there are none.
  func markdownFacts(in language: Language) -> String {
    var rows = facts
    if let seconds {
      rows.append(Fact(Word.timeFact.texts.english, language.duration(seconds)))
    }
    guard !rows.isEmpty else { return "" }
    return "| \(language[.thisRun]) | |\n| --- | --- |\n"
      + rows.map { markdownRow($0, in: language) }.joined(separator: "\n")
  }
}

private func markdownRow(_ fact: Page.Fact, in language: Language) -> String {
  let (name, value) = (language.factName(fact.name), language.factValue(fact))
  return "| \(escapedForMarkdown(name)) | \(escapedForMarkdown(value)) |"
}
