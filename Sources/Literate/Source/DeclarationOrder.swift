import Foundation

/// The code of cells in an order in which each can be compiled without those that follow, as Jupyter does.
///
/// A notebook may use a function or a type that a later cell declares. Such a declaration is moved, with
/// its comment, to the end of the first cell that uses it.
///
/// - Parameter cells: The code of the cells.
/// - Returns: The code of the same cells.
package func inOrderOfUse(_ cells: [String]) -> [String] {
  var cells = cells
  // A declaration that has moved may use others. Each moves upwards only, so this ends.
  search: for _ in 0..<1000 {
    for index in cells.indices.dropFirst() {
      for declaration in Declaration.all(in: cells[index]) {
        let earlier = cells[..<index].firstIndex { words(of: $0).contains(declaration.name) }
        guard let earlier else { continue }
        let lines = cells[index].split(separator: "\n", omittingEmptySubsequences: false)
        let moved = lines[declaration.lines].joined(separator: "\n")
        let rest = lines[..<declaration.lines.lowerBound] + lines[declaration.lines.upperBound...]
        cells[index] = rest.joined(separator: "\n").trimmingCharacters(in: .newlines)
        cells[earlier] += "\n\n" + moved
        continue search
      }
    }
    break
  }
  return cells
}

/// The names in code, without those in strings and comments.
private func words(of code: String) -> Set<Substring> {
  var words: Set<Substring> = []
  for (token, _) in SwiftStructure(code).tokens where [.plain, .type].contains(token.kind) {
    words.formUnion(
      Substring(token.text).split { !$0.isLetter && !$0.isNumber && $0 != "_" })
  }
  return words
}

/// A function or a type at the left edge of the source.
private struct Declaration {
  let name: Substring
  /// Its lines, with the comment directly above.
  let lines: Range<Int>

  static func all(in code: String) -> [Declaration] {
    let structure = SwiftStructure(code)
    let lines = code.split(separator: "\n", omittingEmptySubsequences: false)
    // For each line, the number of open brackets at its end, and whether one was closed in it.
    var (depths, closes) = ([Int](), [Bool]())
    var (depth, hasClosed) = (0, false)
    for (token, isInterpolated) in structure.tokens {
      for character in token.text {
        if character == "\n" {
          depths.append(depth)
          closes.append(hasClosed)
          hasClosed = false
        }
        guard token.kind == .plain, !isInterpolated else { continue }
        if "([{".contains(character) { depth += 1 }
        if ")]}".contains(character) { depth -= 1 }
        if character == "}" { hasClosed = true }
      }
    }
    depths.append(depth)
    closes.append(hasClosed)
    return lines.indices.compactMap { index in
      guard index == 0 || depths[index - 1] == 0, !structure.startsInside[index],
        let name = lines[index].prefixMatch(of: start)?.name,
        let end = lines.indices[index...].first(where: { depths[$0] == 0 && closes[$0] })
      else { return nil }
      var first = index
      while first > 0, lines[first - 1].hasPrefix("//") || lines[first - 1].hasPrefix("@") {
        first -= 1
      }
      return Declaration(name: name, lines: first..<(end + 1))
    }
  }

  private static var start: Regex<(Substring, name: Substring)> {
    #/(?:@\w+ |(?:private|fileprivate|internal|package|public|final|indirect|nonisolated) )*(?:func|struct|class|enum|actor|protocol) (?<name>\w+)/#
  }
}
