import Digests
import Foundation

/// What the code of a notebook says about the results of its cells: for each cell a checksum of
/// everything that was written before its end, and one of the libraries.
struct CellKeys: Codable, Equatable {
  /// A cell's call, and the checksum of the code that its results depend on.
  struct Cell: Codable, Equatable {
    var line: Int
    var code: String
  }

  /// The checksum of the code before the first cell, and of the declarations that it uses.
  var setup: String
  var cells: [Cell]
  /// The checksum of the package's sources.
  var libraries: String

  /// The checksum for a cell.
  ///
  /// - Parameter line: The line of its call; `nil` before the first cell.
  func code(line: Int?) -> String? {
    guard let line else { return setup }
    return cells.first { $0.line == line }?.code
  }

  /// - Parameters:
  ///   - source: The source of the notebook.
  ///   - others: The texts of the other source files of the notebook.
  ///   - libraries: The checksum of the package's sources.
  /// - Throws: An error if a digest cannot be computed.
  init(_ source: NotebookSource, others: [String], libraries: String) throws {
    // A cell may call functions that are declared in a later one.
    let declarations = source.cells.map { declaredCode(in: $0.code) }
    let code = others + [codeWithoutComments(source.setup)]
    let cellCode = source.cells.map { codeWithoutComments($0.code) }
    func checksum(before end: Int) throws -> String {
      let earlier = code + cellCode[..<end]
      return try checksumOf(earlier + used(declarations[end...].flatMap(\.self), by: earlier))
    }
    setup = try checksum(before: 0)
    cells = try source.cells.indices.map {
      Cell(line: source.cells[$0].line, code: try checksum(before: $0 + 1))
    }
    self.libraries = libraries
  }
}

/// The checksum of texts; each ends where the next one begins.
func checksumOf(_ texts: [String]) throws -> String {
  let text = texts.map { "\($0.utf8.count)\n\($0)" }.joined(separator: "\n")
  return try SHA256.hexadecimal(of: Data(text.utf8))
}

/// The code without comments, and with single spaces between its words.
package func codeWithoutComments(_ code: String) -> String {
  var text = ""
  for token in swiftTokens(of: code) {
    switch token.kind {
    case .comment: if text.last != " " { text += " " }
    case .string: text += token.text
    default:
      var isAfterSpace = text.last == " "
      for character in token.text {
        if character.isWhitespace {
          if !isAfterSpace { text.append(" ") }
          isAfterSpace = true
        } else {
          text.append(character)
          isAfterSpace = false
        }
      }
    }
  }
  return text.trimmingCharacters(in: .whitespaces)
}

/// The declarations whose names occur in the code, or in another one of these declarations; extensions
/// and operators always, since their use does not show their names.
package func used(_ declarations: [String], by code: [String]) -> [String] {
  func words(_ text: String) -> Set<Substring> {
    Set(text.split { !($0.isLetter || $0.isNumber || $0 == "_") })
  }
  var known = code.reduce(into: Set<Substring>()) { $0.formUnion(words($1)) }
  var isUsed = declarations.map { _ in false }
  var isComplete = false
  while !isComplete {
    isComplete = true
    for (index, declaration) in declarations.enumerated() where !isUsed[index] {
      // An extension or an operator has no name that its use would show.
      if let name = declaration.prefixMatch(of: namedDeclaration)?.output.5,
        !known.contains(name)
      {
        continue
      }
      isUsed[index] = true
      known.formUnion(words(declaration))
      isComplete = false
    }
  }
  return zip(declarations, isUsed).filter(\.1).map(\.0)
}

/// The functions, types and extensions that are declared at the left edge of a cell's code, without
/// comments, one by one: other cells can use them.
package func declaredCode(in code: String) -> [String] {
  var (declared, pending): ([String], String) = ([], "")
  var (depth, hasBody, isDeclaration) = (0, false, false)
  func isOver(_ line: String) -> Bool {
    guard depth <= 0 else { return false }
    return hasBody || !line.contains(/\b(func|struct|class|enum|actor|extension|protocol|macro)\b/)
  }
  let structure = SwiftStructure(code)
  var (lineIndex, line) = (0, "")
  func endLine() {
    let startsInside =
      lineIndex < structure.startsInside.count && structure.startsInside[lineIndex]
    if !isDeclaration, !startsInside, lineDepth == 0, isDeclarationStart(line) {
      (isDeclaration, hasBody, pending) = (true, false, "")
    }
    if isDeclaration {
      pending += line + "\n"
      if lineHasBrace { hasBody = true }
      if isOver(pending) {
        declared.append(codeWithoutComments(pending))
        isDeclaration = false
      }
    }
    (lineIndex, line, lineDepth, lineHasBrace) = (lineIndex + 1, "", depth, false)
  }
  var (lineDepth, lineHasBrace) = (0, false)
  for (token, isInterpolated) in structure.tokens {
    let isCode = token.kind == .plain && !isInterpolated
    for character in token.text {
      if character.isNewline {
        endLine()
        continue
      }
      if token.kind != .comment { line.append(character) }
      guard isCode else { continue }
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      if character == "{" { lineHasBrace = true }
    }
  }
  endLine()
  // An unfinished declaration does not compile; it is taken as it stands.
  return isDeclaration ? declared + [codeWithoutComments(pending)] : declared
}

/// A declaration with a name of its own.
nonisolated(unsafe) private let namedDeclaration =
  #/(@\w+(\([^)]*\))?\s+|\w+(\(\w+\))?\s+)*(func|struct|class|enum|actor|protocol|typealias|macro)\s+`?([\p{L}\p{N}_]+)/#

/// Whether a line begins a declaration that can be used before it, such as a function.
private func isDeclarationStart(_ line: String) -> Bool {
  line.prefixMatch(
    of:
      #/(@\w+(\([^)]*\))?\s+)*((public|private|fileprivate|internal|package|final|indirect|nonisolated|prefix|postfix|infix|open)(\(\w+\))?\s+)*(func|struct|class|enum|actor|extension|protocol|typealias|macro|operator|precedencegroup|import)\b/#
  ) != nil
}
