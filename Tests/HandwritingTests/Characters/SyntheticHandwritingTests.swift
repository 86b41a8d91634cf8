import Kernels
import Lab
import Testing

struct SyntheticHandwritingTests {
  private let pixels = 28 * 28

  @Test func `The same seed gives the same bytes, another seed other bytes`() {
    let counts = [Int](repeating: 2, count: 62)
    let split = SyntheticHandwriting.split(samplesPerClass: counts, seed: 7)
    #expect(split == SyntheticHandwriting.split(samplesPerClass: counts, seed: 7))
    let other = SyntheticHandwriting.split(samplesPerClass: counts, seed: 8)
    #expect(split.images != other.images)
    #expect(split.labels != other.labels)
  }

  @Test func `The number of threads does not matter`() {
    let threads = Threads.count
    defer { Threads.count = threads }
    let counts = [Int](repeating: 15, count: 62)
    Threads.count = 1
    let alone = SyntheticHandwriting.split(samplesPerClass: counts, seed: 3)
    Threads.count = 5
    #expect(alone == SyntheticHandwriting.split(samplesPerClass: counts, seed: 3))
  }

  @Test func `A split has the requested number of each class, shuffled`() {
    let split = SyntheticHandwriting.split(samplesPerClass: [30, 0, 50, 20], seed: 1)
    #expect(split.images.count == 100 * pixels)
    #expect((0..<4).map { label in split.labels.count { $0 == label } } == [30, 0, 50, 20])
    #expect(split.labels != split.labels.sorted())
    #expect(SyntheticHandwriting.split(samplesPerClass: [], seed: 1).images.isEmpty)
  }

  @Test(arguments: StrokeAlphabet.characters)
  func `Every character fills the image except a border of two pixels`(character: Character) {
    var random = RandomState(seed: 5)
    var images: Set<[UInt8]> = []
    for _ in 0..<20 {
      let image = SyntheticHandwriting.image(of: character, using: &random)
      #expect(image.count == pixels)
      #expect(image.max() == 255)
      let inked = image.indices.filter { image[$0] > 0 }
      let rows = inked.map { $0 / 28 }
      let columns = inked.map { $0 % 28 }
      #expect((rows + columns).allSatisfy { (2..<26).contains($0) })
      #expect(max(extent(rows), extent(columns)) >= 23)
      images.insert(image)
    }
    #expect(images.count == 20)
  }

  @Test func `A character without a form gives an empty image`() {
    var random = RandomState(seed: 5)
    let image = SyntheticHandwriting.image(of: " ", using: &random)
    #expect(image == [UInt8](repeating: 0, count: pixels))
  }

  @Test func `A split's images are transposed, single images upright`() {
    // The bar of a T is on top; transposed, it is on the left.
    var random = RandomState(seed: 5)
    let upright = (0..<50).flatMap { _ in SyntheticHandwriting.image(of: "T", using: &random) }
    #expect(ink(upright) { row, _ in row < 9 } > 1.5 * ink(upright) { row, _ in row >= 19 })

    let counts = StrokeAlphabet.characters.map { $0 == "T" ? 50 : 0 }
    let raw = SyntheticHandwriting.split(samplesPerClass: counts, seed: 5).images
    #expect(ink(raw) { _, column in column < 9 } > 1.5 * ink(raw) { _, column in column >= 19 })
  }

  @Test func `All forms of a character are drawn, common ones more often`() {
    // An i's first form has a dot, so an empty row between inked ones; its second has none.
    var random = RandomState(seed: 5)
    let dotted = (0..<300).count { _ in
      let image = SyntheticHandwriting.image(of: "i", using: &random)
      let rows = (0..<28).filter { row in image[row * 28..<row * 28 + 28].contains { $0 > 99 } }
      return extent(rows) > rows.count
    }
    #expect((120..<270).contains(dotted))
  }

  @Test func `Gray levels are EMNIST's`() {
    // EMNIST ByClass, 200 test images of each class: mean 0.173, standard deviation 0.332.
    let counts = [Int](repeating: 30, count: 62)
    let images = SyntheticHandwriting.split(samplesPerClass: counts, seed: 2).images
    let values = images.map { Double($0) / 255 }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(abs(mean - 0.173) < 0.008)
    #expect(abs(variance.squareRoot() - 0.332) < 0.012)
  }

  @Test func `A linear model learns some classes but not all`() {
    let train = SyntheticHandwriting.split(
      samplesPerClass: [Int](repeating: 60, count: 62), seed: 11)
    let test = SyntheticHandwriting.split(
      samplesPerClass: [Int](repeating: 10, count: 62), seed: 12)
    let means = classMeans(of: train)
    let right = test.labels.indices.count { sample in
      let image = test.images[sample * pixels..<(sample + 1) * pixels]
      let distances = means.map { mean in
        zip(mean, image).reduce(Float(0)) {
          let difference = $1.0 - Float($1.1)
          return $0 + difference * difference
        }
      }
      return distances.indices.min { distances[$0] < distances[$1] } == Int(test.labels[sample])
    }
    let accuracy = Double(right) / Double(test.labels.count)
    #expect(accuracy > 0.3)
    #expect(accuracy < 0.9)
  }

  /// The mean image of each class; the nearest of them is a linear model's answer.
  private func classMeans(of split: RawCharacters) -> [[Float]] {
    var means = [[Float]](repeating: [Float](repeating: 0, count: pixels), count: 62)
    for (sample, label) in split.labels.enumerated() {
      for pixel in 0..<pixels {
        means[Int(label)][pixel] += Float(split.images[sample * pixels + pixel])
      }
    }
    return means.enumerated().map { label, sum in
      let count = split.labels.count { Int($0) == label }
      return sum.map { $0 / Float(count) }
    }
  }

  private func extent(_ places: [Int]) -> Int {
    (places.max() ?? 0) - (places.min() ?? 0) + 1
  }

  private func ink(_ images: [UInt8], where isIncluded: (Int, Int) -> Bool) -> Double {
    images.indices.reduce(0) { sum, index in
      let pixel = index % pixels
      return sum + (isIncluded(pixel / 28, pixel % 28) ? Double(images[index]) : 0)
    }
  }
}
