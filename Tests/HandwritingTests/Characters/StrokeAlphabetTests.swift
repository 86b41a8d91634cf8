import Lab
import Testing

struct StrokeAlphabetTests {
  @Test func `The characters are in EMNIST's order`() {
    let characters = StrokeAlphabet.characters
    #expect(characters.count == 62)
    #expect(String(characters[0..<11]) == "0123456789A")
    #expect(String(characters[35...36]) == "Za")
    #expect(characters.last == "z")
    #expect(Set(StrokeAlphabet.notation.keys) == Set(characters))
  }

  @Test(arguments: StrokeAlphabet.characters)
  func `Every text of the tables is a valid form`(character: Character) throws {
    let texts = try #require(StrokeAlphabet.notation[character])
    #expect(!texts.isEmpty)
    for text in texts {
      let form = try #require(Form(notation: text), "\(character): \(text)")
      let heights = form.strokes.joined().map(\.position.y)
      #expect(heights.allSatisfy { (0...11).contains($0) }, "\(character): \(text)")
    }
  }

  @Test(arguments: StrokeAlphabet.characters)
  func `The forms of a character differ`(character: Character) throws {
    let forms = try #require(StrokeAlphabet.forms[character])
    #expect(forms.count == StrokeAlphabet.notation[character]?.count)
    for (index, form) in forms.enumerated() {
      #expect(!forms[..<index].contains(form))
    }
  }

  @Test func `A text is read as strokes, points and corners`() throws {
    let form = try #require(Form(notation: "1,2 3,4.5! 5,6 | 7,8 9,10"))
    #expect(form.strokes.count == 2)
    #expect(
      form.strokes[0].map(\.position) == [SIMD2(1, 2), SIMD2(3, 4.5), SIMD2(5, 6)])
    #expect(form.strokes[0].map(\.isCorner) == [false, true, false])
    #expect(form.strokes[1].map(\.position) == [SIMD2(7, 8), SIMD2(9, 10)])
  }

  @Test(arguments: ["", "5,0", "5,0 5", "5,0 a,b", "1,2 3,4 |", "1,2,3 4,5,6", "1,2 3,4!!"])
  func `A text that is not a form is refused`(text: String) {
    #expect(Form(notation: text) == nil)
  }
}
