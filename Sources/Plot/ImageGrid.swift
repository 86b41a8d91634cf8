/// Arranges images of equal size in a grid, like torchvision's `make_grid`.
///
/// ```swift
/// let grid = try makeGrid(digits, nrow: 8)    // 64 images of 28 × 28: 242 × 242
/// ```
///
/// A single image is returned without padding. Unlike in torchvision, grayscale images keep one
/// channel.
///
/// - Parameters:
///   - images: The images, row by row.
///   - nrow: The number of images per row.
///   - padding: The number of pixels between and around images.
///   - normalize: Whether to rescale values to 0…1.
///   - valueRange: The values that `normalize` maps to 0 and 1; the minimum and maximum by default.
///   - scaleEach: Whether `normalize` uses the minimum and maximum of each image.
///   - padValue: The value of the padding.
/// - Throws: ``PlotError`` if there are no images, they differ in size or channels, one has not as many
///   values as pixels, or the grid is too large.
public func makeGrid(
  _ images: [Image], nrow: Int = 8, padding: Int = 2, normalize: Bool = false,
  valueRange: ClosedRange<Float>? = nil, scaleEach: Bool = false, padValue: Float = 0
) throws(PlotError) -> Image {
  let checks = Checks("makeGrid")
    .expect(nrow > 0, "nrow of at least 1", got: "\(nrow)")
    .expect((0...65_535).contains(padding), "padding from 0 to 65535", got: "\(padding)")
    .expectRange(valueRange.map { Double($0.lowerBound)...Double($0.upperBound) })
  if let problem = checks.problem { throw PlotError(problem) }
  guard let first = images.first else { throw PlotError("makeGrid expected images, got none") }
  for (i, image) in images.enumerated()
  where (image.width, image.height, image.channels) != (first.width, first.height, first.channels) {
    throw PlotError(
      "makeGrid expected images of equal size, got \(text(first)) and, at index \(i), \(text(image))"
    )
  }
  for (i, image) in images.enumerated() {
    if let problem = image.problem { throw PlotError("makeGrid, at index \(i): \(problem)") }
  }
  var images = images
  if normalize {
    let whole = images.map(\.valueRange).reduce(first.valueRange, joined)
    images = images.map {
      $0.normalized(by: valueRange ?? (scaleEach ? $0.valueRange : whole))
    }
  }
  if images.count == 1 { return images[0] }

  let columns = min(nrow, images.count)
  let rows = (images.count + columns - 1) / columns
  let (stepX, stepY) = (first.width + padding, first.height + padding)
  let (width, height) = (columns * stepX + padding, rows * stepY + padding)
  guard width <= largestPixelCount / height else {
    throw PlotError(
      "makeGrid expected a grid of at most \(largestPixelCount) pixels, got \(width) × \(height)")
  }
  let lineCount = first.width * first.channels
  var values = [Float](repeating: padValue, count: width * height * first.channels)
  for (i, image) in images.enumerated() {
    let (left, top) = (i % columns * stepX + padding, i / columns * stepY + padding)
    for y in 0..<first.height {
      let start = ((top + y) * width + left) * first.channels
      values.replaceSubrange(
        start..<start + lineCount, with: image.values[y * lineCount..<(y + 1) * lineCount])
    }
  }
  return Image(width: width, height: height, channels: first.channels, values: values)
}

/// Writes a grid of images as a PNG file, like torchvision's `save_image`.
///
/// A value v from 0 to 1 becomes the byte ⌊255 v + 0.5⌋. The file is 8-bit grayscale if no pixel is
/// colored, otherwise 8-bit RGB. It is written atomically; missing folders are created.
///
/// - Parameters:
///   - images: One image, or several of one size.
///   - path: The path of the file.
///   - nrow: The number of images per row.
///   - padding: The number of pixels between and around images.
///   - normalize: Whether to rescale values to 0…1.
///   - valueRange: The values that `normalize` maps to 0 and 1; the minimum and maximum by default.
///   - scaleEach: Whether `normalize` uses the minimum and maximum of each image.
///   - padValue: The value of the padding.
/// - Throws: ``PlotError`` if `makeGrid` throws or the file cannot be written.
public func saveImage(
  _ images: [Image], to path: String, nrow: Int = 8, padding: Int = 2, normalize: Bool = false,
  valueRange: ClosedRange<Float>? = nil, scaleEach: Bool = false, padValue: Float = 0
) throws(PlotError) {
  let grid = try makeGrid(
    images, nrow: nrow, padding: padding, normalize: normalize, valueRange: valueRange,
    scaleEach: scaleEach, padValue: padValue)
  let bitmap = Bitmap(
    width: grid.width, height: grid.height, channels: grid.channels,
    bytes: grid.values.map { byte($0 * 255 + 0.5) })
  try writeFile(encodePNG(bitmap), to: path)
}

extension Image {
  /// The minimum and maximum of the finite values; 0 if there are none.
  fileprivate var valueRange: ClosedRange<Float> {
    var range: ClosedRange<Float>?
    for value in values where value.isFinite {
      range = range.map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
    }
    return range ?? 0...0
  }

  /// The image with values clamped to `range` and rescaled to 0…1.
  fileprivate func normalized(by range: ClosedRange<Float>) -> Image {
    // The smallest width is torchvision's; it avoids a division by zero for constant images.
    let width = max(range.upperBound - range.lowerBound, 1e-5)
    return Image(
      width: self.width, height: height, channels: channels,
      values: values.map {
        (min(max($0, range.lowerBound), range.upperBound) - range.lowerBound) / width
      })
  }
}

private func joined(_ a: ClosedRange<Float>, _ b: ClosedRange<Float>) -> ClosedRange<Float> {
  min(a.lowerBound, b.lowerBound)...max(a.upperBound, b.upperBound)
}

private func text(_ image: Image) -> String {
  "\(image.width) × \(image.height) × \(image.channels)"
}
