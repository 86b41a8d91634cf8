import Foundation
import LabTensors

/// A picture of one character converted to the form of EMNIST's images: white on black, 28×28 pixels,
/// with the character centered and scaled to fit into 24×24.
///
/// ```swift
/// let image = try CharacterImage(gray: scan, width: 640, height: 480, named: "scan.png")
/// image.pixels  // 784 numbers in 0...1
/// ```
///
/// The steps are those of EMNIST: blur with a Gaussian filter, crop to the character's bounding box,
/// center in a square with a border of two pixels, and resize to 28×28 with bicubic interpolation. The
/// picture's edge is taken for paper, what differs from it for ink.
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
  /// The smallest difference between ink and paper, as a fraction of white.
  private static let leastContrast: Float = 0.05

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
  /// - Throws: ``DataError`` if all pixels have nearly the same color.
  public init(gray: [Float], width: Int, height: Int, named name: String) throws {
    precondition(gray.count == width * height, "a picture has width × height pixels")
    let picture = Plane(values: gray, width: width, height: height)
    let paper = picture.edge
    let range = (gray.min() ?? 0, gray.max() ?? 0)
    // Ink is darker or lighter than paper, whichever difference is larger.
    let isDark = paper - range.0 > range.1 - paper
    var ink = picture
    ink.values = gray.map { max(0, isDark ? paper - $0 : $0 - paper) }
    let strongest = ink.values.max() ?? 0
    guard strongest >= Self.leastContrast else {
      throw DataError(.damaged, "\(name): expected a character, got a picture of one colour")
    }
    // At half of the strongest ink, noise and shadows do not count.
    let box = ink.box(above: strongest / 2)
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
    let top = small.values.max() ?? 1
    pixels = small.values.map { min(max($0 / top, 0), 1) }
  }
}

/// A matrix.
private struct Plane {
  var values: [Float]
  let width: Int
  let height: Int

  /// The median of the values along the four edges.
  var edge: Float {
    var sorted = Array(values[..<width] + values[((height - 1) * width)...])
    for row in 0..<height {
      sorted.append(values[row * width])
      sorted.append(values[row * width + width - 1])
    }
    sorted.sort()
    return sorted[sorted.count / 2]
  }

  /// The bounding box of all values above a limit.
  func box(above limit: Float) -> (x: Int, y: Int, width: Int, height: Int) {
    var (left, right, top, bottom) = (width, 0, height, 0)
    for y in 0..<height {
      for x in 0..<width where values[y * width + x] > limit {
        (left, right) = (min(left, x), max(right, x + 1))
        (top, bottom) = (min(top, y), max(bottom, y + 1))
      }
    }
    return (left, top, right - left, bottom - top)
  }

  /// A part of the matrix, with zeros outside of it.
  func cut(x: Int, y: Int, width: Int, height: Int) -> Plane {
    var part = [Float](repeating: 0, count: width * height)
    for row in max(0, -y)..<min(height, self.height - y) {
      for column in max(0, -x)..<min(width, self.width - x) {
        part[row * width + column] = values[(row + y) * self.width + column + x]
      }
    }
    return Plane(values: part, width: width, height: height)
  }

  /// The means of blocks; incomplete blocks at the end are filled with zeros.
  func averaged(by factor: Int) -> Plane {
    guard factor > 1 else { return self }
    let (width, height) = ((width + factor - 1) / factor, (height + factor - 1) / factor)
    var sums = [Float](repeating: 0, count: width * height)
    for y in 0..<self.height {
      for x in 0..<self.width {
        sums[y / factor * width + x / factor] += values[y * self.width + x]
      }
    }
    let count = Float(factor * factor)
    return Plane(values: sums.map { $0 / count }, width: width, height: height)
  }

  /// The matrix after a Gaussian filter.
  func blurred(_ deviation: Double) -> Plane {
    let reach = Int((3 * deviation).rounded(.up))
    let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
    let sum = weights.reduce(0, +)
    let filter = { (index: Int) in (index - reach, weights.map { Float($0 / sum) }) }
    return filtered(width: width, height: height, columns: filter, rows: filter)
  }

  /// Resizes a part of the matrix to a square with bicubic interpolation and antialiasing.
  ///
  /// - Parameters:
  ///   - side: The height and width of the square.
  ///   - step: The size of a pixel of the square in pixels of the matrix.
  ///   - centerX: The column of the matrix in the center of the square.
  ///   - centerY: The row of the matrix in the center of the square.
  func resampled(side: Int, step: Double, centerX: Double, centerY: Double) -> Plane {
    func filter(_ center: Double) -> (Int) -> (Int, [Float]) {
      { index in
        let middle = center + (Double(index) + 0.5 - Double(side) / 2) * step
        let scale = max(step, 1)
        let first = Int((middle - 2 * scale).rounded(.down))
        let last = Int((middle + 2 * scale).rounded(.up))
        let weights = (first...last).map { cubic((Double($0) + 0.5 - middle) / scale) }
        let sum = weights.reduce(0, +)
        return (first, weights.map { Float($0 / sum) })
      }
    }
    return filtered(
      width: side, height: side, columns: filter(centerX), rows: filter(centerY))
  }

  /// Weighted sums along rows, then along columns.
  ///
  /// - Parameters:
  ///   - width: The width of the result.
  ///   - height: The height of the result.
  ///   - columns: For a column of the result, the first source column, and the weights of it and the
  ///     next ones.
  ///   - rows: The same for rows.
  private func filtered(
    width: Int, height: Int, columns: (Int) -> (Int, [Float]), rows: (Int) -> (Int, [Float])
  ) -> Plane {
    var across = [Float](repeating: 0, count: width * self.height)
    for x in 0..<width {
      let (first, weights) = columns(x)
      for (column, weight) in zip(first..., weights) where (0..<self.width).contains(column) {
        for y in 0..<self.height {
          across[y * width + x] += weight * values[y * self.width + column]
        }
      }
    }
    var result = [Float](repeating: 0, count: width * height)
    for y in 0..<height {
      let (first, weights) = rows(y)
      for (row, weight) in zip(first..., weights) where (0..<self.height).contains(row) {
        for x in 0..<width { result[y * width + x] += weight * across[row * width + x] }
      }
    }
    return Plane(values: result, width: width, height: height)
  }
}

/// The cubic convolution kernel with a = −1/2.
///
/// Source: R. Keys, "Cubic convolution interpolation for digital image processing" (1981).
private func cubic(_ x: Double) -> Double {
  let x = abs(x)
  if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
}
