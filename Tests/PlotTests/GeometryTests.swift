import Plot
import Testing

struct GeometryTests {
  let a = Rectangle(x: 1, y: 2, width: 4, height: 3)

  @Test func intersectionIsWhatBothCover() {
    let b = Rectangle(x: 3, y: 0, width: 9, height: 4)
    #expect(a.intersection(b) == Rectangle(x: 3, y: 2, width: 2, height: 2))
    #expect(a.intersection(Rectangle(x: 5, y: 2, width: 1, height: 1)).isEmpty)
  }

  @Test func unionIgnoresEmptyRectangles() {
    let b = Rectangle(x: 7, y: 0, width: 1, height: 1)
    #expect(a.union(b) == Rectangle(x: 1, y: 0, width: 7, height: 5))
    let empty = Rectangle(x: 0, y: 0, width: 0, height: 9)
    #expect(a.union(empty) == a && empty.union(a) == a)
  }
}
