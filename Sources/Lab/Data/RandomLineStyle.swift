import Foundation
import LabRandom
import LabTensors

/// Changes the style of each line of handwriting at random: slant, width, height, position, stroke
/// width and noise.
///
/// ```swift
/// let data = try EMNISTLines(DataOptions(augmentation: RandomLineStyle.handwriting))
/// ```
///
/// Lines stay where they begin: they are stretched from the left edge, and never beyond the right one.
/// They are sheared about the middle row. Pixels are interpolated bilinearly.
public struct RandomLineStyle: Augmentation, Equatable {
  /// The largest angle of shear in either direction, in degrees.
  public var shear: Double
  /// The smallest and the largest horizontal scale factor.
  public var width: ClosedRange<Double>
  /// The smallest and the largest vertical scale factor.
  public var height: ClosedRange<Double>
  /// The largest shift of the base line up or down, as a fraction of the image's height.
  public var shift: Double
  /// The largest change of the strokes' width: with 1 they grow by a pixel on each side, with less they
  /// are blended with those. Thin strokes would vanish, so they shrink by at most half of it.
  public var stroke: Double
  /// The largest standard deviation of the noise that is added to all pixels, as a fraction of the
  /// difference between the brightest pixel and the background.
  public var noise: Double

  /// Changes that leave lines readable.
  public static let handwriting = RandomLineStyle(
    shear: 15, width: 0.85...1.15, height: 0.85...1.1, shift: 0.06, stroke: 0.5, noise: 0.06)

  /// - Parameters:
  ///   - shear: The largest angle of shear in either direction, from 0 to below 90 degrees.
  ///   - width: The smallest and the largest horizontal scale factor, above 0.
  ///   - height: The smallest and the largest vertical scale factor, above 0.
  ///   - shift: The largest shift of the base line as a fraction of the image's height, from 0 to 1.
  ///   - stroke: The largest change of the strokes' width, from 0 to 1.
  ///   - noise: The largest standard deviation of the noise, from 0 to 1.
  public init(
    shear: Double = 0, width: ClosedRange<Double> = 1...1, height: ClosedRange<Double> = 1...1,
    shift: Double = 0, stroke: Double = 0, noise: Double = 0
  ) {
    (self.shear, self.width, self.height) = (shear, width, height)
    (self.shift, self.stroke, self.noise) = (shift, stroke, noise)
  }

  public func validate() throws {
    func isFactor(_ range: ClosedRange<Double>) -> Bool {
      range.lowerBound > 0 && range.upperBound.isFinite
    }
    let complaint: String? =
      if !(0..<90).contains(shear) {
        "shear from 0 to below 90 degrees, got \(shear)"
      } else if !isFactor(width) {
        "width factors above 0, got \(width.lowerBound) to \(width.upperBound)"
      } else if !isFactor(height) {
        "height factors above 0, got \(height.lowerBound) to \(height.upperBound)"
      } else if !(0...1).contains(shift) {
        "shift from 0 to 1, got \(shift)"
      } else if !(0...1).contains(stroke) {
        "stroke from 0 to 1, got \(stroke)"
      } else if !(0...1).contains(noise) {
        "noise from 0 to 1, got \(noise)"
      } else {
        nil
      }
    if let complaint { throw DataError(.unusable, "RandomLineStyle: expected \(complaint)") }
  }

  public var hyperparameters: [String: String] {
    [
      "shear": "\(shear)", "line_width": "\(width.lowerBound),\(width.upperBound)",
      "line_height": "\(height.lowerBound),\(height.upperBound)", "line_shift": "\(shift)",
      "stroke": "\(stroke)", "noise": "\(noise)",
    ]
  }

  /// Changes each line differently.
  ///
  /// - Parameters:
  ///   - x: The lines, of shape (lines, channels, rows, columns).
  ///   - background: The value outside of a line.
  ///   - generator: The source of random numbers.
  /// - Complexity: O(elements of x)
  public func callAsFunction(_ x: Tensor, background: Float, generator: Generator) -> Tensor {
    precondition(
      x.rank == 4,
      "RandomLineStyle: expected lines of shape (lines, channels, rows, columns), got \(x.shape)")
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let styles = (0..<x.shape[0]).map { _ in draw(height: height, generator) }
    let source = x.elements
    return Tensor(shape: x.shape) { result in
      var painter = LinePainter(height: height, width: width, background: background)
      for (line, style) in styles.enumerated() {
        for channel in line * channels..<(line + 1) * channels {
          let plane = channel * height * width
          painter.paint(
            source.span.extracting(plane..<plane + height * width), style,
            to: &result, at: plane)
        }
      }
    }
  }

  /// The style of one line. Each number that may differ takes one draw.
  package func draw(height: Int, _ generator: Generator) -> LineStyle {
    func uniform(_ low: Double, _ high: Double) -> Float {
      low == high ? Float(low) : generator.uniform(count: 1, Float(low), Float(high))[0]
    }
    var style = LineStyle()
    style.slope = Float(tan(Double(uniform(-shear, shear)) * .pi / 180))
    style.width = uniform(width.lowerBound, width.upperBound)
    style.height = uniform(self.height.lowerBound, self.height.upperBound)
    style.down = uniform(-shift, shift) * Float(height)
    style.stroke = uniform(-stroke / 2, stroke)
    style.noise = uniform(0, noise)
    style.seed = noise > 0 ? generator.word64() : 0
    return style
  }
}

/// How a line is changed.
package struct LineStyle {
  /// Columns to the right per row upwards.
  package var slope: Float = 0
  package var width: Float = 1
  package var height: Float = 1
  /// Rows.
  package var down: Float = 0
  /// Below 0 thinner, above thicker, up to 1.
  package var stroke: Float = 0
  package var noise: Float = 0
  var seed: UInt64 = 0
}

/// Changes lines of one size.
private struct LinePainter {
  private let height, width: Int
  private let background: Float
  /// The line with other strokes, with a row and a column of background on each side.
  private var ink: [Float]
  /// A row of it, with a column on each side.
  private var row: [Float]

  init(height: Int, width: Int, background: Float) {
    (self.height, self.width, self.background) = (height, width, background)
    ink = [Float](repeating: background, count: (height + 2) * (width + 2))
    row = [Float](repeating: background, count: width + 2)
  }

  /// Writes the changed line to `result` from an offset on.
  mutating func paint(
    _ source: Span<Float>, _ style: LineStyle, to result: inout MutableSpan<Float>, at offset: Int
  ) {
    let end = inkEnd(of: source)
    // Strokes may become thicker by a pixel.
    let used = min(width, end + 1)
    let stroke = StrokeChange(style.stroke, background: background)
    for row in 0..<height {
      stroke.write(
        source, row: row, width: width, columns: used, rowOfMost: &self.row, to: &ink)
    }

    let middle = Float(height - 1) / 2
    let lean = abs(style.slope) * middle
    // The last column with ink is not beyond the right edge.
    let factor = max(1e-3, min(style.width, (Float(width) - 1 - lean) / Float(max(1, end - 1))))
    for target in 0..<height {
      let fromRow = (Float(target) - style.down - middle) / style.height + middle
      let isInside = fromRow > -1 && fromRow < Float(height)
      if isInside { blend(ink, at: fromRow, width: width, columns: used, to: &row) }
      stretch(
        row, columns: isInside ? used : -1, right: (middle - Float(target)) * style.slope,
        factor: factor, background: background, to: &result, offset + target * width, width)
    }
    if style.noise > 0 {
      let largest = largest(of: source)
      addNoise(
        style.noise * (largest - background), style.seed, most: largest, to: &result, at: offset)
    }
  }

  /// The end of the columns with ink.
  private func inkEnd(of source: Span<Float>) -> Int {
    var end = 0
    for row in 0..<height {
      var last = width
      while last > end, source[row * width + last - 1] == background { last -= 1 }
      end = max(end, last)
    }
    return end
  }

  /// The largest pixel.
  private func largest(of source: Span<Float>) -> Float {
    var lanes = SIMD16<Float>(repeating: background)
    let bytes = source.bytes
    let whole = source.count / 16 * 16
    for index in stride(from: 0, to: whole, by: 16) {
      let pixels = bytes.unsafeLoadUnaligned(fromByteOffset: 4 * index, as: SIMD16<Float>.self)
      lanes.replace(with: pixels, where: pixels .> lanes)
    }
    return (whole..<source.count).reduce(lanes.max()) { max($0, source[$1]) }
  }

  /// Adds numbers that are almost normally distributed: sums of four uniform bytes.
  ///
  /// Source of the generator: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
  /// generators" (2014).
  private func addNoise(
    _ deviation: Float, _ seed: UInt64, most: Float, to result: inout MutableSpan<Float>,
    at offset: Int
  ) {
    // The variance of a uniform byte is (256² − 1) / 12.
    let factor = deviation / (4 * (65_536 - 1) / 12 as Float).squareRoot()
    var state = seed
    let end = offset + height * width
    var index = offset
    while index < end {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      word ^= word >> 31
      // Sums of bytes in 16 bits, then of those.
      let pairs = (word & 0x00FF_00FF_00FF_00FF) + (word >> 8 & 0x00FF_00FF_00FF_00FF)
      let low = Int32(truncatingIfNeeded: (pairs & 0xFFFF) + (pairs >> 16 & 0xFFFF)) - 510
      let high = Int32(truncatingIfNeeded: (pairs >> 32 & 0xFFFF) + (pairs >> 48)) - 510
      result[index] = min(most, max(background, result[index] + factor * Float(low)))
      if index + 1 < end {
        result[index + 1] = min(most, max(background, result[index + 1] + factor * Float(high)))
      }
      index += 2
    }
  }
}

/// Blends each pixel with the largest, or the smallest, of the nine around it.
private struct StrokeChange {
  let share, sign, background: Float

  /// - Parameter change: From −1, the smallest, to 1, the largest.
  init(_ change: Float, background: Float) {
    (share, sign) = (abs(change), change > 0 ? 1 : -1)
    self.background = background
  }

  /// Writes a row of the line, with a column of background on each side, below a row of background.
  func write(
    _ source: Span<Float>, row: Int, width: Int, columns: Int, rowOfMost: inout [Float],
    to ink: inout [Float]
  ) {
    let height = source.count / width
    let here = row * width
    let start = (row + 1) * (width + 2) + 1
    var ink = ink.mutableSpan
    ink[start + columns] = background
    guard share > 0 else {
      for column in 0..<columns { ink[start + column] = source[here + column] }
      return
    }
    let (above, below) = (max(0, row - 1) * width, min(height - 1, row + 1) * width)
    var most = rowOfMost.mutableSpan
    (most[0], most[columns + 1]) = (sign * background, sign * background)
    // The smallest is the largest of the negatives.
    for column in 0..<columns {
      let neighbours = max(sign * source[above + column], sign * source[below + column])
      most[column + 1] = max(sign * source[here + column], neighbours)
    }
    for column in 0..<columns {
      let pixel = source[here + column]
      let other = sign * max(most[column], max(most[column + 1], most[column + 2]))
      ink[start + column] = pixel + share * (other - pixel)
    }
  }
}

/// Sets `row` to the pixels at a position between two rows.
private func blend(
  _ ink: [Float], at position: Float, width: Int, columns: Int, to row: inout [Float]
) {
  let top = position.rounded(.down)
  let share = position - top
  let (upper, lower) = ((Int(top) + 1) * (width + 2), (Int(top) + 2) * (width + 2))
  let ink = ink.span
  var row = row.mutableSpan
  for column in 0..<columns + 2 {
    row[column] = ink[upper + column] + share * (ink[lower + column] - ink[upper + column])
  }
}

/// Writes a row whose column `c` comes from column `(c − right) / factor`.
private func stretch(
  _ row: [Float], columns: Int, right: Float, factor: Float, background: Float,
  to result: inout MutableSpan<Float>, _ start: Int, _ width: Int
) {
  // Positions in `row` in units of 2^-20, which are exact if nothing is stretched or moved: column 0 is
  // the background at the left.
  let one = 1 << 20
  let step = max(1, Int((Float(one) / factor).rounded()))
  let begin = one - Int((right / factor * Float(one)).rounded())
  let first = max(0, min(width, (step - 1 - begin) / step))
  let room = (columns + 1) * one - 1 - begin
  let last = max(first, min(width, room < 0 ? 0 : room / step + 1))
  for column in 0..<first { result[start + column] = background }
  for column in last..<width { result[start + column] = background }
  let row = row.span
  var position = begin + first * step
  for column in first..<last {
    let left = position >> 20
    let share = Float(Int32(truncatingIfNeeded: position & (one - 1))) * 0x1p-20
    result[start + column] = row[left] + share * (row[left + 1] - row[left])
    position += step
  }
}
