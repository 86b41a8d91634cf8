import Plot
import Testing

struct LineTests {
  private func count(_ color: Color, in bitmap: Bitmap) -> Int {
    stride(from: 0, to: bitmap.bytes.count, by: 3).count {
      Array(bitmap.bytes[$0..<$0 + 3]) == [color.red, color.green, color.blue]
    }
  }

  @Test func linesCycleThroughColors() throws {
    var figure = Figure()
    figure[0].plot([0, 1])
    figure[0].plot([1, 0])
    figure[0].scatter([0.5], [0.9])
    let bitmap = try figure.draw().bitmap
    for color in Color.cycle.prefix(3) { #expect(count(color, in: bitmap) > 30) }
    #expect(count(Color.cycle[3], in: bitmap) == 0)
  }

  @Test func lowerValuesAreLower() throws {
    var figure = Figure()
    figure[0].scatter([0], [0], color: .red)
    figure[0].scatter([1], [1], color: .green)
    let bitmap = try figure.draw().bitmap
    func position(_ color: Color) -> (x: Int, y: Int) {
      let index = (0..<bitmap.width * bitmap.height).first {
        Array(bitmap.bytes[3 * $0..<3 * $0 + 3]) == [color.red, color.green, color.blue]
      }
      return ((index ?? 0) % bitmap.width, (index ?? 0) / bitmap.width)
    }
    #expect(position(.red).x < position(.green).x - 300)
    #expect(position(.red).y > position(.green).y + 300)
  }

  @Test func nanLeavesAGap() throws {
    func ink(_ y: [Double]) throws -> Int {
      var figure = Figure()
      figure[0].ylim = 0...4
      figure[0].plot([0, 1, 2, 3], y)
      return count(.blue, in: try figure.draw().bitmap)
    }
    let (whole, broken) = try (ink([2, 2, 2, 2]), ink([2, 2, .nan, 2]))
    #expect(broken > whole / 4 && broken < whole / 2)
  }

  @Test func dashedAndDottedLinesHaveLessInk() throws {
    func ink(_ style: LineStyle) throws -> Int {
      var figure = Figure()
      figure[0].plot([0, 0, 1], linestyle: style)
      return count(.blue, in: try figure.draw().bitmap)
    }
    #expect(try ink(.solid) > ink(.dashed))
    #expect(try ink(.dashed) > ink(.dotted))
    #expect(try ink(.none) == 0)
  }
}
