import Foundation

extension Page {
  /// The cell that failed; `nil` if none did, or if the notebook failed before its first cell.
  var failedCell: Cell? {
    cells.first { if case .failed = $0.state { true } else { false } }
  }

  /// The location of the failure, shown above its message.
  func placeOfFailure(in language: Language) -> String {
    guard case .failed(_, let line) = state else { return "" }
    return switch (failedCell?.title, line) {
    case (let title?, let line?): language[.failedInCellAtLine, title, "\(line)"]
    case (let title?, nil): language[.failedInCell, title]
    case (nil, let line?): language[.failedOutsideAtLine, "\(line)"]
    case (nil, nil): language[.failedOutside]
    }
  }
}

extension Page {
  /// Whether a fact of the run says that its data are not real.
  var isSynthetic: Bool { facts.contains { $0.value.contains("SYNTHETIC") } }
}

extension Page.Cell {
  /// The title of what the cell printed on standard error, apart from times and progress.
  var errorsTitle: Word {
    if case .failed = state { .standardError } else { .warning }
  }

  /// The outputs as shown on pages: without terminal escape sequences, and without the line of the
  /// failure, which pages show separately. Between two figures, the lines of each kind are one block, in
  /// the place of the first of them: a warning does not split what a cell prints.
  var shownOutputs: [Page.Output] {
    var shown: [Page.Output] = []
    var blocks: [TextBlock] = []
    func flush() {
      shown += blocks.map(\.output)
      blocks = []
    }
    func add(_ text: String, _ kind: TextBlock.Kind) {
      guard !text.isEmpty else { return }
      // Appended in place: a copy for each line would take hours for long outputs.
      if let index = blocks.firstIndex(where: { $0.kind == kind }) {
        blocks[index].text += text
      } else {
        blocks.append(TextBlock(kind: kind, text: text))
      }
    }
    let failure: String? =
      switch state {
      case .failed(let message, _), .failedAsExpected(let message): "Error: \(plainText(message))\n"
      case .notRun, .passed: nil
      }
    for output in outputs {
      switch output {
      case .text(let text, .standardOutput): add(plainText(text), .output)
      case .text(let raw, .standardError):
        var text = plainText(raw)
        if let failure { text = text.replacing(failure, with: "") }
        if text.contains(where: { !$0.isWhitespace }) { add(text, .errors) }
      case .times(let text): add(plainText(text), .times)
      case .figure, .inspection, .cached, .check:
        flush()
        shown.append(output)
      }
    }
    flush()
    return shown
  }
}

/// Printed lines of one kind.
private struct TextBlock {
  enum Kind {
    case output, errors, times
  }

  let kind: Kind
  var text: String

  var output: Page.Output {
    switch kind {
    case .output: .text(text, stream: .standardOutput)
    case .errors: .text(text, stream: .standardError)
    case .times: .times(text)
    }
  }
}

extension Page {
  /// The page with each different warning once: where it comes first.
  var withoutRepeatedWarnings: Page {
    var page = self
    var seen: Set<String> = []
    for index in cells.indices {
      page.cells[index].outputs = cells[index].outputs.compactMap { output in
        guard case .text(let text, .standardError) = output else { return output }
        let new = messages(in: plainText(text)).filter { message in
          // A line without words, such as a bracket, is part of what is around it.
          !message.contains { $0.isLetter } || seen.insert(message).inserted
        }
        return new.isEmpty ? nil : .text(new.joined(), stream: .standardError)
      }
    }
    return page
  }
}

/// The messages in a text: each is a line, and the indented or empty lines that follow it.
private func messages(in text: String) -> [String] {
  var messages: [String] = []
  for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
    if let first = line.first, !first.isWhitespace || messages.isEmpty {
      messages.append("\(line)\n")
    } else if !messages.isEmpty {
      messages[messages.count - 1] += "\(line)\n"
    }
  }
  return messages.map { message in
    var lines = message[...]
    while lines.last?.isNewline == true { lines.removeLast() }
    return "\(lines)\n"
  }
}

/// Removes terminal escape sequences and control characters from text.
package func plainText(_ text: String) -> String {
  guard
    text.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A || $0 == 0x7F || $0 == 0xC2 })
  else { return text }
  // A sequence starts with ESC [ and ends with a letter, or starts with ESC ] and ends with BEL or
  // ESC \; all others are ESC and one or two characters. (ECMA-48, 5.4 and 5.6)
  return
    text
    .replacing(/\u{1B}\[[\u{30}-\u{3F}]*[\u{20}-\u{2F}]*[\u{40}-\u{7E}]/, with: "")
    .replacing(/\u{1B}\][^\u{07}\u{1B}]*(?:\u{07}|\u{1B}\\)/, with: "")
    .replacing(/\u{1B}[\u{20}-\u{2F}]*[\u{30}-\u{7E}]/, with: "")
    .replacing("\r\n", with: "\n")
    .filter { $0 == "\n" || $0 == "\t" || !$0.unicodeScalars.allSatisfy(\.isControl) }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { properties.generalCategory == .control }
}

extension Page.Cached {
  /// The origin in words: `“cnn” is from 2026-11-27 12:03 UTC and took 4 min 10 s.`
  package func sentence(in language: Language) -> String {
    let date = Date(timeIntervalSince1970: time).formatted(
      .verbatim(
        "\(year: .defaultDigits)-\(month: .twoDigits)-\(day: .twoDigits) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits)",
        locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt,
        calendar: Calendar(identifier: .gregorian)))
    return language[.cachedResult, name, date, language.duration(seconds)]
  }
}

extension Page.Inspection {
  /// The value in one line: `batch.x: Tensor, shape [128, 1, 28, 28]`.
  package func line(in language: Language) -> String {
    let facts = facts.map { "\(language.factName($0.name)) \(language.factValue($0))" }
    return "\(name): " + facts.joined(separator: ", ")
  }
}

/// An amount of memory in words: `812 MB`, `1.2 GB`.
package func amountOfMemory(_ bytes: Int) -> String {
  let megabytes = Double(bytes) / 1e6
  return megabytes < 999.5
    ? String(format: "%.0f MB", megabytes) : String(format: "%.1f GB", megabytes / 1000)
}

/// Percent-encodes the path of a file for a link: `a b(1).png` becomes `a%20b%281%29.png`.
package func linkAddress(_ path: String) -> String {
  // Parentheses would end a Markdown link, and what is before a colon would be a scheme.
  let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "():"))
  return path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path
}

/// The link to an anchor of the same page: `데이터` becomes `#%EB%8D%B0%EC%9D%B4%ED%84%B0`.
func anchorAddress(_ anchor: String) -> String { "#\(linkAddress(anchor))" }

/// A number with commas between thousands.
func readableNumber(_ number: Int) -> String {
  let digits = String(number)
  let groups = stride(from: digits.count % 3, to: digits.count, by: 3).map { start in
    digits.dropFirst(start).prefix(3)
  }
  return ([digits.prefix(digits.count % 3)] + groups).filter { !$0.isEmpty }
    .joined(separator: ",")
}
