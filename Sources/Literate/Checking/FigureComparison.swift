import Plot

/// Compares two figures pixel by pixel.
package struct FigureComparison {
  private let expected: Bitmap
  private let actual: Bitmap

  /// - Throws: `PlotError` if the bytes are not a PNG file.
  package init(expected: [UInt8], actual: [UInt8], name: String) throws {
    self.expected = try decodeImage(expected, named: "the expected \(name)", channels: 3)
    self.actual = try decodeImage(actual, named: name, channels: 3)
  }

  private var haveEqualSizes: Bool {
    (expected.width, expected.height) == (actual.width, actual.height)
  }

  /// The fraction of pixels that differ by more than `levels`, and the largest difference of a channel
  /// (0 to 255).
  private func pixelDifference(beyond levels: Int) -> (share: Double, largest: Int) {
    var (changed, largest) = (0, 0)
    for pixel in stride(from: 0, to: expected.bytes.count, by: 3) {
      let differences = (pixel..<pixel + 3).map {
        abs(Int(expected.bytes[$0]) - Int(actual.bytes[$0]))
      }
      let most = differences.max() ?? 0
      if most > levels { changed += 1 }
      largest = max(largest, most)
    }
    return (Double(changed) / Double(max(1, expected.width * expected.height)), largest)
  }

  /// The fraction of pixels that would need another color so that both figures have as many pixels of
  /// each: half the sum of the differences between their histograms, with four levels of red, green and
  /// blue.
  private var colorDifference: Double {
    var counts = [Int](repeating: 0, count: 64)
    for (bytes, sign) in [(expected.bytes, 1), (actual.bytes, -1)] {
      for pixel in stride(from: 0, to: bytes.count, by: 3) {
        let color = (pixel..<pixel + 3).reduce(0) { $0 << 2 | Int(bytes[$1] >> 6) }
        counts[color] += sign
      }
    }
    let sum = counts.reduce(0) { $0 + abs($1) }
    return Double(sum) / 2 / Double(max(1, expected.width * expected.height))
  }

  /// The difference in words; `nil` if at most the tolerated fraction of the pixels differs by more than
  /// the tolerated levels, and at most the tolerated fraction in color.
  package func difference(_ tolerance: Tolerance) -> String? {
    guard haveEqualSizes else {
      return "expected \(expected.width) × \(expected.height) pixels, "
        + "got \(actual.width) × \(actual.height)"
    }
    if expected == actual { return nil }
    if let tolerated = tolerance.colors, colorDifference > tolerated {
      return "\(percent(colorDifference)) of the pixels have other colors, wherever they are; "
        + "the tolerance is \(percent(tolerated))"
    }
    let (share, largest) = pixelDifference(beyond: tolerance.levels)
    guard share > tolerance.pixels else { return nil }
    let levels = tolerance.levels > 0 ? " by more than \(tolerance.levels)," : ","
    return "\(percent(share)) of the pixels differ\(levels) by up to \(largest) of 255; "
      + "the tolerance is \(percent(tolerance.pixels))"
  }

  private func percent(_ share: Double) -> String {
    "\((share * 100_000).rounded() / 1000) %"
  }

  /// Both figures side by side, and their difference, which is black where they are equal.
  package var sideBySide: Figure {
    let size = (
      width: max(expected.width, actual.width), height: max(expected.height, actual.height)
    )
    var pictures = [("expected", expected), ("actual", actual)]
    if haveEqualSizes {
      var difference = actual
      difference.bytes = zip(expected.bytes, actual.bytes).map { $0 > $1 ? $0 - $1 : $1 - $0 }
      pictures.append(("difference", difference))
    }
    var figure = Figure(rows: 1, columns: pictures.count, images: size, scale: 1)
    for (index, (title, bitmap)) in pictures.enumerated() {
      figure[index].title = title
      figure[index].imshow(
        Image(
          width: bitmap.width, height: bitmap.height, channels: bitmap.channels,
          bytes: bitmap.bytes))
    }
    return figure
  }
}
