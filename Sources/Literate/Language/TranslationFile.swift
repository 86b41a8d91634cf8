/// A translated text, such as `main.ko.md`: the pieces of the original in another language, each below a
/// comment with the checksum of the English.
///
/// ```text
/// <!-- cell 0f343b09 -->
/// ## 데이터
///
/// <!-- text c4ca4238 -->
/// 이미지는 28×28 픽셀이고 …
/// ```
///
/// After the checksum there can be a word about the state of the translation:
///
/// | Word | |
/// | --- | --- |
/// | `untranslated` | below is the English text, to be translated |
/// | `changed CHECKSUM` | the English has changed and now has this checksum; the rest of the comment is the English of now |
/// | `gone` | the English is gone; pages do not show the translation |
///
/// The file is the translator's: nothing that somebody has written there is ever removed.
package struct TranslationFile: Equatable, Sendable {
  /// What is before the first comment.
  package var head: String
  package var entries: [Entry]

  /// The translation of a piece.
  package struct Entry: Equatable, Sendable {
    package var kind: OriginalPiece.Kind
    /// The checksum of the English.
    package var hash: String
    package var state: State
    package var text: String
    /// The line of the comment, counted from 1.
    package var line: Int

    /// The text without the marks of a heading.
    var content: String {
      guard kind == .title || kind == .cell else { return text }
      let first = text.prefix { $0 != "\n" }.drop { $0 == "#" }.drop { $0 == " " }
      return String(first)
    }

    /// What stands below a heading, without a comment of its own.
    var rest: String {
      guard kind == .title || kind == .cell else { return "" }
      return String(text.drop { $0 != "\n" }.drop { $0.isWhitespace })
    }

    /// Whether the text is still the English.
    var isUntouched: Bool {
      state == .untranslated && rest.isEmpty && OriginalPiece.hash(of: content) == hash
    }

    /// Whether pages show the text.
    var isShown: Bool { !text.isEmpty && state != .gone && !isUntouched }
  }

  package enum State: Equatable, Sendable {
    case translated, untranslated, gone
    /// The English of now has this checksum and, in a notebook, this text.
    case changed(to: String, english: String)
  }

  /// - Parameters:
  ///   - text: The text of the file.
  ///   - name: The name of the file in errors.
  /// - Throws: ``NotebookError`` if a comment is damaged, so that it is not clear what a text translates.
  package init(_ text: String, named name: String) throws {
    let lines = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
    (head, entries) = ("", [])
    var (below, index) = ([Substring](), 0)
    func flush(_ file: inout TranslationFile) {
      let text = trimmedLines(below).joined(separator: "\n")
      if file.entries.isEmpty {
        file.head = text
      } else {
        file.entries[file.entries.count - 1].text = text
      }
      below = []
    }
    while index < lines.count {
      let line = lines[index]
      guard let mark = line.firstMatch(of: /^<!-- *(title|cell|text|section)\b/) else {
        below.append(line)
        index += 1
        continue
      }
      let end = lines[index...].firstIndex { $0.contains("-->") }
      guard let end, let kind = OriginalPiece.Kind(rawValue: String(mark.1)),
        let entry = Self.entry(kind, lines[index...end].joined(separator: "\n"), line: index + 1)
      else {
        throw NotebookError(
          "\(name):\(index + 1): expected a comment such as <!-- \(mark.1) 0123abcd -->, got "
            + plainText(String(line.prefix(80))))
      }
      flush(&self)
      entries.append(entry)
      index = end + 1
    }
    flush(&self)
  }

  private static func entry(_ kind: OriginalPiece.Kind, _ comment: String, line: Int) -> Entry? {
    let pattern =
      /<!-- *[a-z]+ +([0-9a-f]{8})(?: +(?:(untranslated)|(gone)|changed +([0-9a-f]{8})))?\s*([\s\S]*?)\s*-->\s*/
    guard let match = comment.wholeMatch(of: pattern) else { return nil }
    let english = String(match.5).replacing("--&gt;", with: "-->")
    // What follows a checksum without such a word is not ours.
    guard match.4 != nil || english.isEmpty else { return nil }
    let state: State =
      if let hash = match.4 {
        .changed(to: String(hash), english: english)
      } else {
        match.2 != nil ? .untranslated : match.3 != nil ? .gone : .translated
      }
    return Entry(kind: kind, hash: String(match.1), state: state, text: "", line: line)
  }

  init(head: String, entries: [Entry]) {
    (self.head, self.entries) = (head, entries)
  }

  /// The text of the file.
  package var text: String {
    joinedBlocks([head] + entries.map { "\($0.comment)\n\($0.text)" }) + "\n"
  }
}

extension TranslationFile.Entry {
  fileprivate var comment: String {
    let start = "<!-- \(kind.rawValue) \(hash)"
    switch state {
    case .translated: return "\(start) -->"
    case .untranslated: return "\(start) untranslated -->"
    case .gone: return "\(start) gone -->"
    case .changed(let hash, let english):
      guard !english.isEmpty else { return "\(start) changed \(hash) -->" }
      return "\(start) changed \(hash)\n\(english.replacing("-->", with: "--&gt;"))\n-->"
    }
  }
}

private func trimmedLines(_ lines: [Substring]) -> ArraySlice<Substring> {
  let isBlank = { (line: Substring) in line.allSatisfy(\.isWhitespace) }
  var lines = lines.drop(while: isBlank)
  while let last = lines.last, isBlank(last) { lines.removeLast() }
  return lines
}

// MARK: Original and translation

extension TranslationFile {
  /// The index of each piece's translation; `nil` if it has none.
  ///
  /// A piece is found by its checksum, wherever it has moved to. A piece that has changed is the one
  /// between the same neighbors.
  package func indices(of pieces: [OriginalPiece]) -> [Int?] {
    var found = [Int?](repeating: nil, count: pieces.count)
    var unused = Set(entries.indices)
    let hashes = pieces.map(\.hash)
    let known = Dictionary(grouping: entries.indices) { entries[$0].key }
    for index in pieces.indices {
      let candidates = known[Key(kind: pieces[index].kind, hash: hashes[index])] ?? []
      if let entry = candidates.first(where: unused.contains) {
        found[index] = entry
        unused.remove(entry)
      }
    }
    func pair(_ index: Int, _ entry: Int) {
      guard entries.indices.contains(entry), unused.contains(entry),
        entries[entry].kind == pieces[index].kind
      else { return }
      found[index] = entry
      unused.remove(entry)
    }
    for index in pieces.indices where found[index] == nil {
      if index == 0 {
        pair(index, 0)
      } else if let before = found[index - 1] {
        pair(index, before + 1)
      }
    }
    for index in pieces.indices.reversed() where found[index] == nil {
      if index + 1 == pieces.count {
        pair(index, entries.count - 1)
      } else if let after = found[index + 1] {
        pair(index, after - 1)
      }
    }
    return found
  }

  fileprivate struct Key: Hashable {
    let kind: OriginalPiece.Kind
    let hash: String
  }

  /// The file with all pieces of the original, in its order: what is missing is added in English, and
  /// what has changed is marked. What has no original any more stays where it is.
  ///
  /// - Parameters:
  ///   - pieces: The pieces of the original.
  ///   - renewed: The checksums of pieces whose translation is right as it is; `all` stands for all that
  ///     have changed.
  package func updated(for pieces: [OriginalPiece], renewed: Set<String> = []) -> TranslationFile {
    let found = indices(of: pieces)
    var result: [(entry: Entry, index: Int?)] = zip(pieces, found).map { piece, index in
      (updated(index.map { entries[$0] }, for: piece, renewed), index)
    }
    let used = Set(found.compactMap(\.self))
    for index in entries.indices where !used.contains(index) {
      var entry = entries[index]
      // English that nobody has translated is not a translator's.
      if entry.isUntouched { continue }
      entry.state = .gone
      let before = result.lastIndex { $0.index.map { $0 < index } ?? false }
      result.insert((entry, index), at: before.map { $0 + 1 } ?? 0)
    }
    return TranslationFile(head: head, entries: result.map(\.entry))
  }

  private func updated(
    _ entry: Entry?, for piece: OriginalPiece, _ renewed: Set<String>
  ) -> Entry {
    let hash = piece.hash
    guard var entry, !entry.text.isEmpty, !(entry.isUntouched && entry.hash != hash) else {
      return Entry(
        kind: piece.kind, hash: hash, state: .untranslated, text: piece.asEntry, line: 0)
    }
    if entry.hash == hash {
      if !entry.isUntouched || renewed.contains(hash) { entry.state = .translated }
    } else if renewed.contains(hash) || renewed.contains("all") {
      (entry.hash, entry.state) = (hash, .translated)
    } else {
      // Of a whole section, the history of the file tells what has changed.
      entry.state = .changed(to: hash, english: piece.kind == .section ? "" : piece.text)
    }
    return entry
  }

  /// What is missing, stale or without original, one line each.
  ///
  /// - Parameters:
  ///   - pieces: The pieces of the original.
  ///   - original: The path of the original.
  ///   - name: The path of this file.
  ///   - command: The command that updates the file.
  package func problems(
    for pieces: [OriginalPiece], of original: String, named name: String, command: String
  ) -> [String] {
    let found = indices(of: pieces)
    var problems: [String] = []
    for (piece, index) in zip(pieces, found) {
      let place = piece.place.isEmpty ? "the beginning" : "“\(piece.place)”"
      let words = "“\(firstWords(of: piece.text))”"
      guard let index else {
        problems.append(
          "\(original):\(piece.line): \(place): not translated: \(words); add it with \(command)")
        continue
      }
      let entry = entries[index]
      let start = "\(name):\(entry.line): \(place): "
      if entry.text.isEmpty || entry.isUntouched {
        problems.append("\(start)not translated yet: \(words); translate it there")
      } else if entry.hash != piece.hash {
        problems.append(
          "\(start)the English has changed: \(words); revise the translation, then "
            + "\(command) --renew=\(piece.hash)")
      } else if entry.state != .translated, entry.state != .untranslated {
        problems.append("\(start)marked although it is up to date; unmark it with \(command)")
      } else if piece.kind != .section, let lost = lostMarkup(of: piece.text, in: entry.text) {
        problems.append("\(start)expected \(lost) as in the English, found none")
      }
    }
    let used = Set(found.compactMap(\.self))
    for index in entries.indices where !used.contains(index) {
      let words = firstWords(of: entries[index].text)
      problems.append(
        "\(name):\(entries[index].line): the English of “\(words)” is gone; delete it or use it elsewhere"
      )
    }
    return problems
  }
}

extension TranslationFile.Entry {
  fileprivate var key: TranslationFile.Key { .init(kind: kind, hash: hash) }
}

extension OriginalPiece {
  /// The text in the form of a translation file.
  fileprivate var asEntry: String {
    switch kind {
    case .title: "# \(text)"
    case .cell: "## \(text)"
    case .text, .section: text.trimmingNewlines
    }
  }
}

extension String {
  fileprivate var trimmingNewlines: String {
    var text = self[...]
    while text.first == "\n" { text.removeFirst() }
    while text.last == "\n" { text.removeLast() }
    return String(text)
  }
}

private func firstWords(of text: String) -> String {
  let words = text.split(whereSeparator: \.isWhitespace)
  return words.prefix(8).joined(separator: " ") + (words.count > 8 ? " …" : "")
}

/// A piece of inline code or the address of a link that a translation lacks; `nil` if it has all of them.
private func lostMarkup(of original: String, in translation: String) -> String? {
  // Comments in code may be translated.
  if paragraphs(of: original).first?.isCode == true { return nil }
  func parts(_ text: String) -> [String] {
    let text = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return text.matches(of: /`[^`]+`/).map { String($0.0) }
      + text.matches(of: /\]\(([^)\s]+)/).map { String($0.1) }
  }
  let kept = Set(parts(translation))
  return parts(original).first { !kept.contains($0) }
}
