import Foundation

/// Text that Markdown takes for nothing but text, in one line.
package func escapedForMarkdown(_ text: String) -> String {
  plainText(text).replacing(/[\\`*_\[\]<>|&~#$]/) { "\\\($0.0)" }.replacing("\n", with: " ")
}

/// Text between fences that are longer than any run of backticks in it; nothing for no text.
package func fenced(_ text: String, as language: String) -> String {
  let text = text.trimmingCharacters(in: .newlines)
  guard !text.isEmpty else { return "" }
  let longest = text.matches(of: /`+/).map(\.0.count).max() ?? 0
  let fence = String(repeating: "`", count: max(3, longest + 1))
  return "\(fence)\(language)\n\(text)\n\(fence)"
}

/// Blocks of Markdown, with an empty line between each two; empty blocks are left out.
package func joinedBlocks(_ blocks: [String]) -> String {
  blocks.map { $0.trimmingCharacters(in: .newlines) }.filter { !$0.isEmpty }
    .joined(separator: "\n\n")
}

/// Blocks of Markdown as a quotation.
package func quoted(_ blocks: [String]) -> String {
  joinedBlocks(blocks).split(separator: "\n", omittingEmptySubsequences: false)
    .map { $0.isEmpty ? ">" : "> \($0)" }.joined(separator: "\n")
}

extension Page {
  /// The title, and on a page that failed where and why.
  ///
  /// - Parameter sign: What GitHub wants at the head of a quotation to draw it as a box.
  func markdownHeader(sign: String = "") -> String {
    var blocks = ["# \(escapedForMarkdown(title))"]
    if case .failed(let message, _) = state {
      let place = "\(sign)**\(escapedForMarkdown(placeOfFailure))**"
      blocks.append(quoted([place, fenced(plainText(message), as: "text")]))
    }
    return joinedBlocks(blocks + [introduction])
  }

  /// The facts and the time of the run as a table; empty where there are none.
  var markdownFacts: String {
    var rows = facts
    if let seconds { rows.append(Fact("Time", duration(seconds))) }
    guard !rows.isEmpty else { return "" }
    return "| This run | |\n| --- | --- |\n"
      + rows.map { "| \(escapedForMarkdown($0.name)) | \(escapedForMarkdown($0.value)) |" }
      .joined(separator: "\n")
  }
}
