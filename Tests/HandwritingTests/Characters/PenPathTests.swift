import Lab
import Testing

struct PenPathTests {
  @Test func `Two points make a straight line with a point every half square`() throws {
    let path = try path("0,0 0,10")
    #expect(path.count == 21)
    #expect(path.allSatisfy { abs($0.x) < 1e-5 })
    #expect(zip(path, path.dropFirst()).allSatisfy { $0.y < $1.y })
    #expect(path.last == SIMD2(0, 10))
  }

  @Test func `Four points make a round ring`() throws {
    let path = try path("8,4 4,8 0,4 4,0 8,4")
    for point in path {
      let offset = point - SIMD2(4, 4)
      #expect(abs((offset * offset).sum().squareRoot() - 4) < 0.01)
    }
  }

  @Test func `A corner is sharp and other points are not`() throws {
    func farthestFromBothLines(_ notation: String) throws -> Float {
      try path(notation).map { min(abs($0.y), abs($0.x - 10)) }.max() ?? 0
    }
    #expect(try farthestFromBothLines("0,0 10,0! 10,10") < 1e-4)
    #expect(try farthestFromBothLines("0,0 10,0 10,10") > 1)
  }

  @Test func `A repeated point is allowed`() throws {
    let path = try path("2,2 2,2")
    #expect(path == [SIMD2(2, 2), SIMD2(2, 2)])
  }

  private func path(_ notation: String) throws -> [SIMD2<Float>] {
    PenPath.points(along: try #require(Form(notation: notation)).strokes[0])
  }
}
