import Foundation

/// A language of pages and of what the runner prints.
public enum Language: String, CaseIterable, Codable, Sendable {
  case english = "en"
  case korean = "ko"

  /// The variable that chooses the language where no option does.
  public static let variable = "LAB_LANGUAGE"

  /// The language that the environment asks for, English by default.
  ///
  /// - Throws: ``NotebookError`` if the variable has another value.
  public static func fromEnvironment() throws -> Language {
    let text = ProcessInfo.processInfo.environment[variable] ?? ""
    if text.isEmpty { return .english }
    guard let language = Language(rawValue: text) else {
      let codes = allCases.map(\.rawValue).joined(separator: " or ")
      throw NotebookError("\(variable): expected \(codes), got \(plainText(text))")
    }
    return language
  }

  /// The languages in which a notebook may have a translation.
  static let translations = allCases.filter { $0 != .english }

  /// The name of the language in itself.
  var name: String {
    switch self {
    case .english: "English"
    case .korean: "한국어"
    }
  }

  /// What the names of the language's files have before their extension: `index.ko.html`.
  var infix: String { self == .english ? "" : ".\(rawValue)" }

  /// The file of a notebook's HTML page, and of the gallery.
  var indexFile: String { "index\(infix).html" }

  /// The file of a notebook's page in another format, such as `NAME.ko.md`.
  func file(_ name: String, _ extension: String) -> String { "\(name)\(infix).\(`extension`)" }

  /// A word of the interface.
  package subscript(word: Word) -> String {
    switch self {
    case .english: word.texts.english
    case .korean: word.texts.korean
    }
  }

  /// A word of the interface with values in the places of `{1}`, `{2}`, …
  package subscript(word: Word, values: String...) -> String {
    var text = self[word][...]
    var result = ""
    // In one pass: a value may itself have braces.
    while let match = text.firstMatch(of: /\{([1-9])\}/) {
      result += text[..<match.range.lowerBound]
      let index = (Int(match.1) ?? 1) - 1
      result += index < values.count ? values[index] : String(match.0)
      text = text[match.range.upperBound...]
    }
    return result + text
  }

  /// The name of a fact of the run or of a value; names that a notebook has chosen itself stay.
  /// The name of one of several data sets may stand in front: `EMNIST: images per class`.
  func factName(_ name: String) -> String {
    let start = name.ranges(of: ": ").last?.upperBound ?? name.startIndex
    return Word.factNames[String(name[start...])].map { name[..<start] + self[$0] } ?? name
  }

  /// The value of a fact: only whole words of the interface are translated.
  func factValue(_ fact: Page.Fact) -> String {
    switch fact.value {
    case Word.noneFact.texts.english: self[.noneFact]
    case Word.singleNumber.texts.english: self[.singleNumber]
    default: fact.value
    }
  }
}

extension Language {
  /// A duration in words: `0.83 s`, `12.4 s`, `3 min 20 s`, `1 h 2 min`.
  package func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole >= 3600 { return self[.hours, "\(whole / 3600)", "\(whole % 3600 / 60)"] }
    if whole >= 60 { return self[.minutes, "\(whole / 60)", "\(whole % 60)"] }
    return self[.seconds, String(format: seconds < 9.995 ? "%.2f" : "%.1f", seconds)]
  }

  /// A number of things: one of two words, of which the second has the number in place of `{1}`.
  package func count(_ count: Int, _ one: Word, _ several: Word) -> String {
    count == 1 ? self[one] : self[several, readableNumber(count)]
  }
}

/// The width of a line in a terminal, where Hangul and Chinese characters take two columns.
func terminalWidth(of text: String) -> Int {
  text.unicodeScalars.reduce(0) { width, scalar in
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF:
      width + 2
    default: width + (scalar.properties.generalCategory == .nonspacingMark ? 0 : 1)
    }
  }
}

extension Page.Figure {
  /// The text for readers who cannot see the figure. That of an inspected value is ours.
  func alternativeText(in language: Language) -> String {
    let end = Word.asImages.texts.english.replacing("{1}", with: "")
    guard file.hasPrefix(Self.inspectedPrefix), alternativeText.hasSuffix(end) else {
      return alternativeText
    }
    return language[.asImages, String(alternativeText.dropLast(end.count))]
  }

  /// What the files of inspected values begin with.
  static let inspectedPrefix = "inspect-"
}
