import Lab
import Testing

struct EditDistanceTests {
  @Test(arguments: [
    ("kitten", "sitting", 3), ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0),
    ("saturday", "sunday", 3), ("ab", "ba", 2), ("abcdef", "azced", 3), ("aaa", "aa", 1),
    ("phase of", "phaseof", 1), ("xabc", "abcx", 2),
  ])
  func onPaper(a: String, b: String, edits: Int) {
    #expect(editDistance(Array(a), Array(b)) == edits)
    #expect(editDistance(Array(b), Array(a)) == edits)
  }

  @Test func alignsOnPaper() {
    #expect(
      align(Array("cat"), Array("at")) == [
        .delete(a: 0), .match(a: 1, b: 0), .match(a: 2, b: 1),
      ])
    #expect(
      align(Array("it"), Array("1ft")) == [
        .insert(b: 0), .substitute(a: 0, b: 1), .match(a: 1, b: 2),
      ])
    #expect(align([Int](), []) == [])
    #expect(align([], [1, 2]) == [.insert(b: 0), .insert(b: 1)])
    #expect(align([1, 2], []) == [.delete(a: 0), .delete(a: 1)])
  }

  /// By the definition: the best of the three last steps, without a table.
  private func distance(_ a: ArraySlice<UInt64>, _ b: ArraySlice<UInt64>) -> Int {
    guard let x = a.last, let y = b.last else { return a.count + b.count }
    return min(
      distance(a.dropLast(), b.dropLast()) + (x == y ? 0 : 1),
      min(distance(a.dropLast(), b), distance(a, b.dropLast())) + 1)
  }

  @Test func agreesWithTheDefinition() {
    let generator = Generator(seed: 5)
    for (m, n) in (0...6).flatMap({ m in (0...6).map { (m, $0) } }) {
      let a = generator.words64(m).map { $0 % 3 }
      let b = generator.words64(n).map { $0 % 3 }
      #expect(editDistance(a, b) == distance(a[...], b[...]), "\(a) \(b)")
    }
  }

  /// An alignment takes each element once, in order, and has as many edits as the distance says.
  @Test func anAlignmentIsWhole() {
    let generator = Generator(seed: 6)
    for length in 0..<40 {
      let a = generator.words64(length).map { $0 % 4 }
      let b = generator.words64(Int(generator.words64(1)[0] % 40)).map { $0 % 4 }
      let alignment = align(a, b)
      #expect(alignment.filter(\.isEdit).count == editDistance(a, b))
      var (i, j) = (0, 0)
      for step in alignment {
        switch step {
        case .match(let x, let y):
          #expect((x, y) == (i, j) && a[x] == b[y])
          (i, j) = (i + 1, j + 1)
        case .substitute(let x, let y):
          #expect((x, y) == (i, j) && a[x] != b[y])
          (i, j) = (i + 1, j + 1)
        case .delete(let x):
          #expect(x == i)
          i += 1
        case .insert(let y):
          #expect(y == j)
          j += 1
        }
      }
      #expect((i, j) == (a.count, b.count))
    }
  }
}
