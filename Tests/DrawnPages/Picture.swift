import Foundation
import ImageFiles

/// A colored picture.
struct Picture {
  let width, height: Int
  var colors: [SIMD3<Float>]

  /// The picture as a file has it.
  var file: FileImage {
    let bytes = colors.flatMap { color in
      (0..<3).map { UInt8((min(max(color[$0], 0), 1) * 255).rounded()) }
    }
    return FileImage(width: width, height: height, channels: 3, bytes: bytes)
  }

  /// The picture with the artefacts of JPEG compression: blocks of 8×8 pixels, whose cosine transform is
  /// rounded, and colors at half the resolution.
  ///
  /// - Parameter quality: 1…100, as of the IJG's library.
  func compressed(quality: Int) -> Picture {
    let scale = quality < 50 ? 5000 / Float(quality) : 200 - 2 * Float(quality)
    func table(_ base: [Float]) -> [Float] {
      base.map { min(max((($0 * scale + 50) / 100).rounded(.down), 1), 255) }
    }
    let y = colors.map { 255 * ($0 * SIMD3(0.299, 0.587, 0.114)).sum() - 128 }
    let blue = colors.map { 255 * ($0 * SIMD3(-0.1687, -0.3313, 0.5)).sum() }
    let red = colors.map { 255 * ($0 * SIMD3(0.5, -0.4187, -0.0813)).sum() }
    let light = rounded(y, width, height, table(brightnessSteps))
    let (halfWidth, halfHeight) = ((width + 1) / 2, (height + 1) / 2)
    let halves = [blue, red].map { plane in
      let small = (0..<halfWidth * halfHeight).map { index in
        let (x, y) = (index % halfWidth * 2, index / halfWidth * 2)
        let (right, below) = (min(x + 1, width - 1), min(y + 1, height - 1))
        return
          (plane[y * width + x] + plane[y * width + right] + plane[below * width + x]
          + plane[below * width + right]) / 4
      }
      return rounded(small, halfWidth, halfHeight, table(colorSteps))
    }
    var result = self
    for index in colors.indices {
      let half = index / width / 2 * halfWidth + index % width / 2
      let (y, b, r) = ((light[index] + 128) / 255, halves[0][half] / 255, halves[1][half] / 255)
      result.colors[index] = [y + 1.402 * r, y - 0.34414 * b - 0.71414 * r, y + 1.772 * b]
    }
    return result
  }
}

/// The steps of the cosine transform of brightness, from the example tables of the JPEG standard,
/// ITU-T T.81, annex K.
private let brightnessSteps: [Float] = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
  92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]

/// The steps of the cosine transform of color.
private let colorSteps: [Float] =
  [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99]
  + [47, 66] + [Float](repeating: 99, count: 38)

/// A plane whose blocks' cosine transforms are rounded to multiples of some steps.
private func rounded(_ plane: [Float], _ width: Int, _ height: Int, _ steps: [Float]) -> [Float] {
  let basis = (0..<64).map { index -> Float in
    let (k, n) = (Double(index / 8), Double(index % 8))
    return Float((k == 0 ? 0.125.squareRoot() : 0.5) * cos((2 * n + 1) * k * .pi / 16))
  }
  var result = plane
  var (block, half) = ([Float](repeating: 0, count: 64), [Float](repeating: 0, count: 64))
  /// Multiplies by the basis or its transpose from the left, and transposes.
  func transform(_ source: [Float], _ target: inout [Float], isInverse: Bool) {
    for row in 0..<8 {
      for column in 0..<8 {
        var sum: Float = 0
        for n in 0..<8 {
          sum += basis[isInverse ? n * 8 + row : row * 8 + n] * source[n * 8 + column]
        }
        target[column * 8 + row] = sum
      }
    }
  }
  for top in stride(from: 0, to: height, by: 8) {
    for left in stride(from: 0, to: width, by: 8) {
      for index in 0..<64 {
        let (x, y) = (min(left + index % 8, width - 1), min(top + index / 8, height - 1))
        block[index] = plane[y * width + x]
      }
      transform(block, &half, isInverse: false)
      transform(half, &block, isInverse: false)
      for index in 0..<64 { block[index] = (block[index] / steps[index]).rounded() * steps[index] }
      transform(block, &half, isInverse: true)
      transform(half, &block, isInverse: true)
      for index in 0..<64 where left + index % 8 < width && top + index / 8 < height {
        result[(top + index / 8) * width + left + index % 8] = block[index]
      }
    }
  }
  return result
}
