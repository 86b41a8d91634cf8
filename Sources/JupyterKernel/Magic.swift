/// A line at the beginning of a cell that is meant for the kernel: `%parameters quick=true`.
package enum Magic: Equatable, Sendable {
  /// The parameters of the notebook, as `name=value`.
  case parameters([String])
  /// Forget all cells.
  case reset

  /// Takes such lines from a cell; empty lines stay in their places, so that others keep their numbers.
  ///
  /// - Throws: ``KernelError`` for one that is not known.
  package static func take(from code: String) throws -> (code: String, magics: [Magic]) {
    var lines = code.split(separator: "\n", omittingEmptySubsequences: false)
    var magics: [Magic] = []
    for index in lines.indices {
      let line = lines[index]
      if line.allSatisfy(\.isWhitespace) { continue }
      guard line.hasPrefix("%") else { break }
      magics.append(try magic(line))
      lines[index] = ""
    }
    return (lines.joined(separator: "\n"), magics)
  }

  private static func magic(_ line: Substring) throws -> Magic {
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    switch words[0] {
    case "%parameters":
      for word in words.dropFirst() { try check(word) }
      return .parameters(Array(words.dropFirst()))
    case "%reset" where words.count == 1: return .reset
    default:
      throw KernelError(
        "expected %parameters name=value … or %reset, got \(line); other lines with % are Python's")
    }
  }

  /// Parameters in one text, such as `quick=true seed=7`.
  ///
  /// - Throws: ``KernelError`` if one is not `name=value`.
  package static func parameters(in text: String) throws -> [String] {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    for word in words { try check(word) }
    return words
  }

  private static func check(_ word: String) throws {
    guard word.contains("="), !word.hasPrefix("="), !word.hasPrefix("-") else {
      throw KernelError("expected a parameter as name=value, such as quick=true, got \(word)")
    }
  }
}
