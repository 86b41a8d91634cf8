import Lab
import Testing

@Suite struct UprightImagesTests {
  /// Three lying images; pixel (row, column) of image `n` upright is `n * 50 + row + 2 * column`,
  /// wrapped.
  private static let images: [[UInt8]] = (0..<3).map { n in
    (0..<784).map { UInt8(truncatingIfNeeded: n * 50 + $0 % 28 + 2 * ($0 / 28)) }
  }

  private func expected(_ selection: [Int]) -> [UInt8] {
    selection.flatMap { n in
      (0..<784).map { UInt8(truncatingIfNeeded: n * 50 + $0 / 28 + 2 * ($0 % 28)) }
    }
  }

  @Test(arguments: [[0, 1, 2], [2, 0], [1, 1], []] as [[Int]])
  func eitherLayout(selection: [Int]) {
    let rows = Self.images.flatMap { $0 }
    let columns = (0..<784).flatMap { pixel in Self.images.map { $0[pixel] } }
    #expect(upright(rows, .rowsOfPixels, selection) == expected(selection))
    #expect(upright(columns, .columnsOfPixels(images: 3), selection) == expected(selection))
  }

  @Test func moreImagesThanABlock() {
    let rows = (0..<600).flatMap { n in [UInt8](repeating: UInt8(n % 251), count: 784) }
    let selection = Array((0..<600).reversed())
    let result = upright(rows, .rowsOfPixels, selection)
    #expect(selection.indices.allSatisfy { result[$0 * 784 + 400] == UInt8(selection[$0] % 251) })
  }
}
