/// A picture of one character converted to the form of EMNIST's images: white on black, 28×28 pixels,
/// with the character centered and scaled to fit into 24×24.
///
/// ```swift
/// let image = try CharacterImage(gray: scan, width: 640, height: 480, named: "scan.png")
/// image.pixels  // 784 numbers in 0...1
/// ```
///
/// The steps are those of EMNIST: blur with a Gaussian filter, crop to the character's bounding box,
/// center in a square with a border of two pixels, and resize to 28×28 with bicubic interpolation.
///
/// The brightness near the picture's edges is taken for paper, what differs from it for ink; in a
/// picture with shadows, paper is as bright as the surroundings. The largest piece of ink, with smaller
/// ones close to it, is the character: specks, frames and the edge of the table are left out.
///
/// Source: G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to
/// handwritten letters", arXiv:1702.05373 (2017), section II.
public struct CharacterImage: Equatable, Sendable {
  /// The height and width of the result.
  public static let side = 28
  /// The number of free pixels on each side.
  private static let border = 2
  /// The approximate height of characters in EMNIST's scans, which are blurred with a standard
  /// deviation of 1.
  private static let scannedHeight = 60.0

  /// 28×28 numbers in row-major order: 0 is paper, 1 the strongest ink.
  public let pixels: [Float]

  /// Converts a picture.
  ///
  /// - Parameters:
  ///   - gray: The pixels in row-major order, from 0 for black to 1 for white; ink may be darker or
  ///     lighter than paper.
  ///   - width: The width in pixels.
  ///   - height: The height in pixels.
  ///   - name: The picture's name in messages.
  /// - Throws: ``DataError`` if all pixels have nearly the same color, or there are several characters.
  public init(gray: [Float], width: Int, height: Int, named name: String) throws {
    guard width > 0, height > 0, gray.count / width == height, gray.count % width == 0 else {
      throw DataError(
        .unusable, "\(name): expected \(width) × \(height) pixels, got \(gray.count)")
    }
    guard gray.allSatisfy(\.isFinite) else {
      throw DataError(
        .damaged, "\(name): expected gray values from 0 to 1, got one that is not finite")
    }
    guard let found = PaperAndInk(Plane(values: gray, width: width, height: height)) else {
      throw DataError(.damaged, "\(name): expected a character, got a picture of one colour")
    }
    try self.init(found, named: name)
  }

  init(_ found: PaperAndInk, named name: String) throws {
    guard !found.isSeveral else {
      throw DataError(
        .damaged, "\(name): expected one character, got several; cut the picture around one of them"
      )
    }
    var ink = found.ink
    // At half of the strongest ink, noise and shadows do not count.
    let box = ink.box(above: (ink.values.max() ?? 0) / 2)
    // The filters need a margin around the character.
    let margin = max(box.width, box.height) / 8 + 2
    ink = ink.cut(
      x: box.x - margin, y: box.y - margin, width: box.width + 2 * margin,
      height: box.height + 2 * margin)
    let longest = Double(max(box.width, box.height))
    // A camera's pictures are much larger than 28×28: average blocks first, then blur.
    let factor = max(1, Int(longest / 240))
    ink = ink.averaged(by: factor)
    ink = ink.blurred(longest / Double(factor) / Self.scannedHeight)
    // EMNIST's bounding boxes include the blurred edges.
    let soft = ink.box(above: (ink.values.max() ?? 0) / 10)
    let small = ink.resampled(
      side: Self.side,
      step: Double(max(soft.width, soft.height)) / Double(Self.side - 2 * Self.border),
      centerX: Double(soft.x) + Double(soft.width) / 2,
      centerY: Double(soft.y) + Double(soft.height) / 2)
    let top = max(small.values.max() ?? 1, .leastNormalMagnitude)
    pixels = small.values.map { min(max($0 / top, 0), 1) }
  }
}
