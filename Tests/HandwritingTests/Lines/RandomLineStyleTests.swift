import Foundation
import Lab
import TestSupport
import Testing

struct RandomLineStyleTests {
  /// Lines of random ink whose right part is empty.
  private func lines(
    _ count: Int, height: Int, width: Int, ink: Int, background: Float = 0
  ) -> Tensor {
    let numbers = Generator(seed: 4).uniform(count: count * height * width, 0, 1)
    let elements = numbers.enumerated().map { index, number in
      index % width < ink && number > 0.4 ? number : background
    }
    return Tensor(elements, shape: [count, 1, height, width])
  }

  private func apply(
    _ style: RandomLineStyle, _ x: Tensor, background: Float = 0, seed: UInt64 = 1
  ) -> Tensor {
    style(x, background: background, generator: Generator(seed: seed))
  }

  @Test(arguments: [(28, 64, 40), (5, 7, 7), (1, 3, 0), (9, 33, 33)])
  func nothingToChangeChangesNothing(height: Int, width: Int, ink: Int) {
    let x = lines(3, height: height, width: width, ink: ink)
    #expect(apply(RandomLineStyle(), x) == x)
  }

  /// By the definition: strokes, then the bilinear mean of the four pixels around the source.
  private func reference(_ image: [Float], height: Int, width: Int, _ style: LineStyle) -> [Float] {
    func pixel(_ pixels: [Float], _ row: Int, _ column: Int) -> Float {
      (0..<height).contains(row) && (0..<width).contains(column) ? pixels[row * width + column] : 0
    }
    let end =
      (0..<width).last { column in (0..<height).contains { image[$0 * width + column] != 0 } }
      .map { $0 + 1 } ?? 0
    var ink = image
    for row in 0..<height {
      for column in 0..<width where column <= end {
        // Rows beyond the edge are as the row at the edge.
        let around = (-1...1).flatMap { down in
          (-1...1).map { pixel(image, max(0, min(height - 1, row + down)), column + $0) }
        }
        let other = (style.stroke > 0 ? around.max() : around.min()) ?? 0
        ink[row * width + column] += abs(style.stroke) * (other - image[row * width + column])
      }
    }
    let middle = Float(height - 1) / 2
    let most = (Float(width) - 1 - abs(style.slope) * middle) / Float(max(1, end - 1))
    let factor = min(style.width, most)
    return (0..<height * width).map { index in
      let (row, column) = (Float(index / width), Float(index % width))
      let y = (row - style.down - middle) / style.height + middle
      let x = (column - (middle - row) * style.slope) / factor
      guard y > -1, y < Float(height), x > -1, x < Float(width) else { return 0 }
      let (top, left) = (y.rounded(.down), x.rounded(.down))
      let (down, right) = (y - top, x - left)
      let (r, c) = (Int(top), Int(left))
      let upper = pixel(ink, r, c) * (1 - right) + pixel(ink, r, c + 1) * right
      let lower = pixel(ink, r + 1, c) * (1 - right) + pixel(ink, r + 1, c + 1) * right
      return upper * (1 - down) + lower * down
    }
  }

  @Test(arguments: [
    RandomLineStyle(shear: 20), RandomLineStyle(width: 0.7...1.4),
    RandomLineStyle(height: 0.6...1.5),
    RandomLineStyle(shift: 0.4), RandomLineStyle(stroke: 1),
    RandomLineStyle(shear: 30, width: 0.8...2, height: 0.7...1.2, shift: 0.1, stroke: 0.6),
    RandomLineStyle(width: 0.3...0.3), RandomLineStyle(shear: 85, shift: 1),
  ])
  func agreesWithTheDefinition(style: RandomLineStyle) {
    for (height, width, ink) in [(28, 90, 50), (28, 90, 90), (7, 31, 12), (1, 9, 4), (6, 5, 0)] {
      let x = lines(6, height: height, width: width, ink: ink)
      let found = apply(style, x, seed: 3).elements
      let generator = Generator(seed: 3)
      let size = height * width
      for line in 0..<6 {
        let image = Array(x.elements[line * size..<(line + 1) * size])
        let expected = reference(
          image, height: height, width: width, style.draw(height: height, generator))
        for (one, other) in zip(found[line * size..<(line + 1) * size], expected) {
          #expect(abs(one - other) < 2e-3)
        }
      }
    }
  }

  @Test func inkStaysInsideTheRightEdge() {
    // A column of ink near the edge, which would be at 2 · 27.
    var elements = [Float](repeating: 0, count: 4 * 30)
    for row in 0..<4 { elements[row * 30 + 27] = 1 }
    let x = Tensor(elements, shape: [1, 1, 4, 30])
    let wide = apply(RandomLineStyle(width: 2...2), x).elements
    for row in 0..<4 {
      let ink = wide[row * 30..<(row + 1) * 30]
      #expect(ink.reduce(0, +) > 0.9 && ink.max() ?? 0 > 0.5)
    }
  }

  @Test func noiseHasTheGivenSpread() {
    let (height, width) = (28, 600)
    let x = Tensor(
      (0..<4 * height * width).map { $0 % width == 0 ? 2 : $0 % width == 1 ? 0 : 1 },
      shape: [4, 1, height, width])
    let style = RandomLineStyle(noise: 0.2)
    let noisy = apply(style, x)
    let generator = Generator(seed: 1)
    let size = height * width
    var deviations: Set<Float> = []
    for line in 0..<4 {
      let deviation = 2 * style.draw(height: height, generator).noise
      deviations.insert(deviation)
      let pixels = (line * size..<(line + 1) * size).filter { x.elements[$0] == 1 }
      let changes = pixels.map { Double(noisy.elements[$0] - 1) }
      let mean = changes.reduce(0, +) / Double(changes.count)
      let variance = changes.reduce(0) { $0 + $1 * $1 } / Double(changes.count)
      #expect(abs(mean) < 0.02 * Double(deviation))
      #expect(abs(variance.squareRoot() / Double(deviation) - 1) < 0.03)
      // Normally distributed: so many are within one and two deviations.
      for (bound, share) in [(1.0, 0.683), (2.0, 0.954)] {
        let within = changes.count { abs($0) < bound * Double(deviation) }
        #expect(abs(Double(within) / Double(changes.count) - share) < 0.02)
      }
    }
    #expect(deviations.count == 4)
    #expect(noisy.elements.allSatisfy { (0...2).contains($0) })
    // A line without ink has no noise.
    let empty = Tensor(repeating: -1, shape: [1, 1, 4, 5])
    #expect(apply(style, empty, background: -1) == empty)
  }

  @Test func backgroundOfNormalizedImages() {
    let x = lines(2, height: 12, width: 40, ink: 20, background: -3)
    let y = apply(.handwriting, x, background: -3)
    #expect(y != x && y.elements.allSatisfy { $0 >= -3 && $0 <= 1 })
    let corner = (0..<12).map { y.elements[$0 * 40 + 39] }
    #expect(corner.reduce(0, +) / 12 < -2)
  }

  @Test func eachLineIsChangedDifferentlyAndChannelsAlike() {
    let one = lines(1, height: 28, width: 80, ink: 60).elements
    let x = Tensor(one + one + one + one, shape: [2, 2, 28, 80])
    let y = apply(RandomLineStyle(shear: 15, width: 0.8...1.2, stroke: 0.5), x).elements
    let planes = (0..<4).map { Array(y[$0 * one.count..<($0 + 1) * one.count]) }
    #expect(planes[0] == planes[1] && planes[2] == planes[3] && planes[0] != planes[2])
    #expect(apply(.handwriting, x) == apply(.handwriting, x))
    #expect(apply(.handwriting, x, seed: 2) != apply(.handwriting, x))
  }

  @Test func borders() {
    for shape in [[0, 1, 28, 10], [1, 1, 1, 1], [2, 3, 2, 2]] {
      let x = Tensor(repeating: 1, shape: shape)
      #expect(apply(.handwriting, x).shape == shape)
    }
    let nan = Tensor(repeating: .nan, shape: [1, 1, 4, 6])
    #expect(apply(.handwriting, nan).shape == [1, 1, 4, 6])
  }

  @Test(arguments: [
    (RandomLineStyle(shear: 90), "shear from 0 to below 90 degrees, got 90.0"),
    (RandomLineStyle(shear: .nan), "shear from 0 to below 90 degrees, got nan"),
    (RandomLineStyle(width: 0...1), "width factors above 0, got 0.0 to 1.0"),
    (RandomLineStyle(height: 1 ... .infinity), "height factors above 0, got 1.0 to inf"),
    (RandomLineStyle(shift: 1.5), "shift from 0 to 1, got 1.5"),
    (RandomLineStyle(stroke: -1), "stroke from 0 to 1, got -1.0"),
    (RandomLineStyle(noise: 2), "noise from 0 to 1, got 2.0"),
  ])
  func refusesValues(style: RandomLineStyle, message: String) {
    expectDataError("RandomLineStyle: expected \(message)") { try style.validate() }
  }
}
