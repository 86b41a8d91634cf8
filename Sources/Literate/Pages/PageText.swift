import Foundation

extension Page {
  /// The cell that failed; `nil` if none did, or if the notebook failed before its first cell.
  var failedCell: Cell? {
    cells.first { if case .failed = $0.state { true } else { false } }
  }

  /// The location of the failure, shown above its message.
  var placeOfFailure: String {
    guard case .failed(_, let line) = state else { return "" }
    let cell = failedCell.map { "in “\($0.title)”" } ?? "outside the cells"
    return "Failed \(cell)\(line.map { ", line \($0)" } ?? "")."
  }
}

extension Page.Cell {
  /// The outputs as shown on pages: without terminal escape sequences, with adjacent text of the same
  /// stream joined, and without the line of the failure, which pages show separately.
  var shownOutputs: [Page.Output] {
    var shown: [Page.Output] = []
    let failure: String? =
      switch state {
      case .failed(let message, _), .failedAsExpected(let message): "Error: \(plainText(message))\n"
      case .notRun, .passed: nil
      }
    for output in outputs {
      if case .times(let next) = output, case .times(let before)? = shown.last {
        shown[shown.count - 1] = .times(before + plainText(next))
        continue
      }
      guard case .text(let raw, let stream) = output else {
        shown.append(output)
        continue
      }
      var text = plainText(raw)
      if stream == .standardError, let failure { text = text.replacing(failure, with: "") }
      if case .text(let before, stream)? = shown.last {
        shown[shown.count - 1] = .text(before + text, stream: stream)
      } else if !text.isEmpty {
        shown.append(.text(text, stream: stream))
      }
    }
    return shown
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
  /// The origin in words: `From 2026-11-27 12:03 UTC, took 4 min 10 s.`
  package var sentence: String {
    let date = Date(timeIntervalSince1970: time).formatted(
      .verbatim(
        "\(year: .defaultDigits)-\(month: .twoDigits)-\(day: .twoDigits) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits)",
        locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt,
        calendar: Calendar(identifier: .gregorian)))
    return "“\(name)” is from \(date) UTC and took \(duration(seconds))."
  }
}

extension Page.Inspection {
  /// The value in one line: `batch.x: Tensor, shape [128, 1, 28, 28]`.
  package var line: String {
    "\(name): " + facts.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
  }
}

/// A duration in words: `0.83 s`, `12.4 s`, `3 min 20 s`, `1 h 2 min`.
package func duration(_ seconds: Double) -> String {
  let whole = Int(seconds.rounded())
  if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
  if whole >= 60 { return "\(whole / 60) min \(whole % 60) s" }
  return String(format: seconds < 9.995 ? "%.2f s" : "%.1f s", seconds)
}

/// An amount of memory in words: `812 MB`, `1.2 GB`.
package func amountOfMemory(_ bytes: Int) -> String {
  let megabytes = Double(bytes) / 1e6
  return megabytes < 999.5
    ? String(format: "%.0f MB", megabytes) : String(format: "%.1f GB", megabytes / 1000)
}

/// Percent-encodes the path of a file for a link: `a b(1).png` becomes `a%20b%281%29.png`.
package func linkAddress(_ path: String) -> String {
  // Parentheses would end a Markdown link.
  let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "()"))
  return path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path
}
