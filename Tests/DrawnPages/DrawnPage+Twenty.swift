import LabRandom

extension DrawnPage {
  /// Draws one of the twenty pages that pages are measured on.
  ///
  /// - Parameters:
  ///   - number: The page's number.
  ///   - round: Another number gives another page of the same style.
  ///   - text: Returns a line of at most as many characters.
  ///   - letter: Returns an image of a character: 784 bytes; nil for blanks.
  package static func page(
    _ number: Int, round: Int = 0, text: (Int, inout RandomState) throws -> String,
    letter: (Character, inout RandomState) -> [UInt8]?
  ) rethrows -> DrawnPage {
    let style = PageStyle.twenty[number]
    var random = RandomState(seed: UInt32(1000 + number + 100 * round))
    let lines = try (0..<style.lineCount).map { _ in try text(style.lineLength, &random) }
    return DrawnPage(style, lines: lines, seed: UInt32(number + 100 * round), letter: letter)
  }
}
