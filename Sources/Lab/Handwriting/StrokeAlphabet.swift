/// The forms of each character, as strokes of a pen.
///
/// The tables are text: a form is a list of strokes separated by `|`, a stroke is a list of points
/// `x,y` on squared paper with the origin at the top left, x to the right and y down. Digits, capitals
/// and letters with a long stroke are ten squares high, from y 0 to y 10; other letters, such as `a`,
/// are eight squares high, from y 2. The pen moves from point to point in arcs; a point marked `!` is
/// a corner.
///
/// ```text
/// a 7 with a bar:   1,0.5 8.2,0.4! 3.7,10 | 3,5 7.6,4.8
/// ```
///
/// Forms are sorted by how common they are: the k-th is drawn with weight 1/k. To add a form, draw it
/// on squared paper and append its points to the character's list.
package enum StrokeAlphabet {
  /// The characters in EMNIST's order: digits, capitals, small letters.
  package static let characters: [Character] = Array(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

  /// The forms of each character as text.
  package static let notation: [Character: [String]] =
    digits.merging(capitals) { first, _ in first }.merging(smallLetters) { first, _ in first }

  /// The forms of each character, without texts that are not valid notation.
  package static let forms: [Character: [Form]] = notation.mapValues {
    $0.compactMap(Form.init(notation:))
  }
}

/// One way to write a character.
package struct Form: Sendable, Equatable {
  /// A point on the pen's path.
  package struct Point: Sendable, Equatable {
    package var position: SIMD2<Float>
    package var isCorner: Bool
  }

  /// The points of each stroke, at least two per stroke.
  package var strokes: [[Point]]

  /// Reads a form such as `5,0 5,10 | 2,10 8,10`; nil if the text is not valid notation.
  package init?(notation: String) {
    strokes = []
    for stroke in notation.split(separator: "|", omittingEmptySubsequences: false) {
      var points: [Point] = []
      for word in stroke.split(separator: " ") {
        let isCorner = word.hasSuffix("!")
        let numbers = word.dropLast(isCorner ? 1 : 0)
          .split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
        guard numbers.count == 2, let x = numbers[0], let y = numbers[1] else { return nil }
        points.append(Point(position: SIMD2(x, y), isCorner: isCorner))
      }
      guard points.count >= 2 else { return nil }
      strokes.append(points)
    }
  }
}
