import Plot

/// Compares two pictures pixel by pixel.
package struct FigureComparison {
  private let expected: Bitmap
  private let actual: Bitmap

  /// - Throws: `PlotError`, when the bytes are no PNG file.
  package init(expected: [UInt8], actual: [UInt8], name: String) throws {
    self.expected = try decodePNG(expected, named: "the expected \(name)", channels: 3)
    self.actual = try decodePNG(actual, named: name, channels: 3)
  }

  private var haveOneSize: Bool {
    (expected.width, expected.height) == (actual.width, actual.height)
  }

  /// The share of pixels that differ, and the largest difference of a colour, of 255.
  private var difference: (share: Double, largest: Int) {
    var (changed, largest) = (0, 0)
    for pixel in stride(from: 0, to: expected.bytes.count, by: 3) {
      let differences = (pixel..<pixel + 3).map {
        abs(Int(expected.bytes[$0]) - Int(actual.bytes[$0]))
      }
      let most = differences.max() ?? 0
      if most > 0 { changed += 1 }
      largest = max(largest, most)
    }
    return (Double(changed) / Double(max(1, expected.width * expected.height)), largest)
  }

  /// What differs; nothing if the pictures are the same, but for a share of their pixels.
  package func complaint(tolerance: Double) -> String? {
    guard haveOneSize else {
      return "expected \(expected.width) × \(expected.height) pixels, "
        + "got \(actual.width) × \(actual.height)"
    }
    if expected == actual { return nil }
    let (share, largest) = difference
    guard share > tolerance else { return nil }
    return "\(percent(share)) of the pixels changed, by up to \(largest) of 255; "
      + "allowed are \(percent(tolerance))"
  }

  private func percent(_ share: Double) -> String {
    "\((share * 100_000).rounded() / 1000) %"
  }

  /// Both pictures side by side, and their difference: black where they are the same.
  package var sideBySide: Figure {
    let size = (
      width: max(expected.width, actual.width), height: max(expected.height, actual.height)
    )
    var pictures = [("expected", expected), ("actual", actual)]
    if haveOneSize {
      var difference = actual
      difference.bytes = zip(expected.bytes, actual.bytes).map { $0 > $1 ? $0 - $1 : $1 - $0 }
      pictures.append(("difference", difference))
    }
    var figure = Figure(rows: 1, columns: pictures.count, images: size, scale: 1)
    for (place, (title, bitmap)) in pictures.enumerated() {
      figure[place].title = title
      figure[place].imshow(
        Image(
          width: bitmap.width, height: bitmap.height, channels: bitmap.channels,
          bytes: bitmap.bytes))
    }
    return figure
  }
}
