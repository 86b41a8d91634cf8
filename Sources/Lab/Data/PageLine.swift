import Foundation

/// A line of handwriting on a page, and its image in the form of EMNIST Lines: white on black, 28
/// pixels high.
///
/// ```swift
/// let page = try PagePicture(contentsOf: URL(filePath: "page.jpg"))
/// page.lines[0].pixels.count          // 28 · page.lines[0].width numbers in 0...1
/// page.lines[0].point(x: 0, y: 14)    // where the line begins in page.gray
/// ```
public struct PageLine: Sendable {
  /// A position in the picture of the page, in pixels from its upper left corner.
  public struct Point: Equatable, Sendable {
    public var x, y: Double
  }

  /// The height of the image.
  public static let height = 28

  /// The image, row by row: 0 is paper, 1 the strongest ink.
  public private(set) var pixels: [Float]
  /// The width of the image.
  public private(set) var width: Int
  /// For each column, the middle of its left edge in the picture, and the way to its right edge.
  private var columns: [(edge: Point, step: Point)]
  /// How many pixels of the picture a pixel of the image is wide and high.
  public let scale: Double
  /// The distance of the image's middle row from the path, in pixels of the picture.
  private let shift: Double

  /// Where a position in the image is in the picture of the page.
  ///
  /// - Parameters:
  ///   - x: The distance from the image's left edge.
  ///   - y: The distance from the image's upper edge.
  public func point(x: Double, y: Double) -> Point {
    let index = min(max(Int(x), 0), width - 1)
    let (edge, step) = columns[index]
    let across = x - Double(index)
    // The step is as long as a pixel of the image is high.
    let down = shift / scale + y - Double(Self.height) / 2
    return Point(
      x: edge.x + across * step.x - down * step.y, y: edge.y + across * step.y + down * step.x)
  }

  /// The corners of a polygon around letters, in the picture of the page.
  ///
  /// - Parameter columns: The columns of the image.
  public func outline(of columns: Range<Double>) -> [Point] {
    let steps = max(1, Int((columns.upperBound - columns.lowerBound) / 28))
    let places = (0...steps).map {
      columns.lowerBound + (columns.upperBound - columns.lowerBound) * Double($0) / Double(steps)
    }
    return places.map { point(x: $0, y: 3) } + places.reversed().map { point(x: $0, y: 25) }
  }

  /// The corners of a polygon around the line's ink, in the picture of the page.
  public var outline: [Point] {
    let columns = inkColumns
    return outline(of: Double(columns.lowerBound)..<Double(columns.upperBound))
  }

  /// The columns from the first to the last ink.
  private var inkColumns: Range<Int> {
    let inked = (0..<width).filter { !isBlank($0) }
    guard let first = inked.first, let last = inked.last else { return 0..<width }
    return first..<last + 1
  }

  private func isBlank(_ column: Int) -> Bool {
    !(0..<Self.height).contains { pixels[$0 * width + column] > 0.2 }
  }

  /// The ranges of columns without ink between letters and words.
  private var gaps: [Range<Int>] {
    var gaps: [Range<Int>] = []
    for column in inkColumns where isBlank(column) {
      if let last = gaps.last, last.upperBound == column {
        gaps[gaps.count - 1] = last.lowerBound..<column + 1
      } else {
        gaps.append(column..<column + 1)
      }
    }
    return gaps
  }
}

extension PageLine {
  /// A part of a line that is narrow enough for a model.
  public struct Part: Equatable, Sendable {
    /// Its columns.
    public let columns: Range<Int>
    /// Whether a word ends before it; otherwise it continues one.
    public let startsWord: Bool

    /// - Parameters:
    ///   - columns: Its columns.
    ///   - startsWord: Whether a word ends before it.
    public init(columns: Range<Int>, startsWord: Bool = true) {
      (self.columns, self.startsWord) = (columns, startsWord)
    }
  }

  /// The narrowest gap that is one between words.
  private static let wordGap = 17

  /// Divides the line into parts, if possible between words.
  ///
  /// - Parameter most: The largest width of a part.
  public func parts(most: Int) -> [Part] {
    precondition(most > 0, "parts(most:): expected a width of at least 1, got \(most)")
    var parts: [Part] = []
    var (start, startsWord) = (0, true)
    while width - start > most {
      // Parts of nearly equal width are not much shorter than they could be.
      let count = (width - start + most - 1) / most
      let least = start + max(1, min(most / 2, (width - start) / count / 2))
      let near = gaps.filter { least <= $0.lowerBound && $0.lowerBound <= start + most }
      if let gap = near.max(by: { $0.count < $1.count }) {
        parts.append(Part(columns: start..<gap.lowerBound, startsWord: startsWord))
        // A part begins as a line does.
        (start, startsWord) = (
          max(gap.lowerBound, gap.upperBound - Self.border), gap.count >= Self.wordGap
        )
      } else {
        let end = (least...start + most).min { ink(in: $0) < ink(in: $1) } ?? start + most
        parts.append(Part(columns: start..<end, startsWord: startsWord))
        (start, startsWord) = (end, false)
      }
    }
    return parts + [Part(columns: start..<width, startsWord: startsWord)]
  }

  private func ink(in column: Int) -> Float {
    (0..<Self.height).reduce(0) { $0 + pixels[$1 * width + min(column, width - 1)] }
  }

  /// The image of a part, row by row, with paper to its right.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - width: The width of the image.
  public func pixels(of part: Part, width: Int) -> [Float] {
    (0..<Self.height).flatMap { row in
      (0..<width).map {
        $0 < part.columns.count ? pixels[row * self.width + part.columns.lowerBound + $0] : 0
      }
    }
  }
}

extension PageLine {
  /// How ink is spread over the rows of EMNIST Lines: the mean and the standard deviation of its row.
  private static let rows = (mean: 14.3, deviation: 5.63)
  /// The widest gap between words: a letter's width and the free columns beside narrow letters.
  private static let widestGap = 44
  /// The columns before the first ink and after the last.
  private static let border = 4

  /// Brings lines to the form of EMNIST Lines.
  ///
  /// - Parameters:
  ///   - page: The page's ink.
  ///   - name: The page's name in messages.
  ///   - most: The largest number of lines.
  /// - Throws: ``DataError`` if there are more lines.
  static func lines(
    _ page: PageInk, named name: String, most: Int
  ) throws(DataError) -> [PageLine] {
    let layout = LineLayout(page)
    guard layout.curves.count <= most else {
      throw DataError(
        .unusable,
        "\(name): expected at most \(most) lines of handwriting, got \(layout.curves.count); cut "
          + "the picture into several")
    }
    let spreads = Spread.all(page, layout)
    // Few letters say little about a line's height, and other lines of the page more.
    let typical = spreads.map { ($0.deviation, $0.letters) }.sorted { $0.0 < $1.0 }
    var left = typical.reduce(0) { $0 + $1.1 } / 2
    let median =
      typical.first {
        left -= $0.1
        return left <= 0
      }?.0 ?? 1
    return zip(layout.curves.indices, spreads).map { number, spread in
      let share = spread.letters / (spread.letters + 5)
      let deviation = exp(share * log(max(spread.deviation, 1e-3)) + (1 - share) * log(median))
      return PageLine(
        page, layout, Int16(number), scale: deviation / rows.deviation, middle: spread.mean)
    }
  }

  private init(
    _ page: PageInk, _ layout: LineLayout, _ number: Int16, scale: Double, middle: Double
  ) {
    self.scale = scale
    shift = middle + (Double(Self.height) / 2 - Self.rows.mean) * scale
    let curve = layout.curves[Int(number)]
    // Steps of equal length along the curve.
    let border = Double(Self.border) * scale
    var x = Double(curve.left) - border
    var columns: [(edge: Point, step: Point)] = []
    while x < Double(curve.right) + border {
      let slope = curve.slope(at: x)
      let step = scale / (1 + slope * slope).squareRoot()
      columns.append((Point(x: x, y: curve.row(at: x)), Point(x: step, y: step * slope)))
      x += step
    }
    (self.columns, width) = (columns, columns.count)
    pixels = []
    var image = [Float](repeating: 0, count: Self.height * width)
    let samples = max(1, Int(scale.rounded(.up)))
    for column in 0..<width {
      for row in 0..<Self.height {
        var sum: Float = 0
        for i in 0..<samples {
          for j in 0..<samples {
            let place = point(
              x: Double(column) + (Double(i) + 0.5) / Double(samples),
              y: Double(row) + (Double(j) + 0.5) / Double(samples))
            sum += layout.ink(of: number, page, x: place.x, y: place.y)
          }
        }
        image[row * width + column] = sum / Float(samples * samples)
      }
    }
    let top = image.filter { $0 > 0.3 * page.strength }.sorted()
    let strongest = top.isEmpty ? page.strength : top[top.count * 8 / 10]
    pixels = image.map { min(1, $0 / strongest) }
    narrowGaps()
  }

  /// Makes gaps between words as wide as those of EMNIST Lines are at most.
  private mutating func narrowGaps() {
    let left = gaps.flatMap { gap in
      gap.count > Self.widestGap ? Array(gap.dropFirst(Self.widestGap)) : []
    }
    let removed = Set(left)
    guard !removed.isEmpty else { return }
    let kept = (0..<width).filter { !removed.contains($0) }
    pixels = (0..<Self.height).flatMap { row in kept.map { pixels[row * width + $0] } }
    columns = kept.map { columns[$0] }
    width = kept.count
  }

  /// The ink of a line across it.
  private struct Spread {
    /// The mean and the standard deviation of the distance from the line's curve.
    var (mean, deviation) = (0.0, 0.0)
    /// About how many letters there are.
    var letters = 0.0

    static func all(_ page: PageInk, _ layout: LineLayout) -> [Spread] {
      var sums = [SIMD3<Double>](repeating: .zero, count: layout.curves.count)
      var columns = [Set<Int>](repeating: [], count: layout.curves.count)
      let width = page.pieces.width
      for (index, owner) in layout.owners.enumerated() where owner >= 0 {
        let (x, y) = (Double(index % width) + 0.5, Double(index / width) + 0.5)
        let curve = layout.curves[Int(owner)]
        let slope = curve.slope(at: x)
        let distance = (y - curve.row(at: x)) / (1 + slope * slope).squareRoot()
        let ink = Double(min(page.ink.values[index], page.strength))
        sums[Int(owner)] += ink * SIMD3(1, distance, distance * distance)
        columns[Int(owner)].insert(index % width)
      }
      return zip(sums, columns).map { sum, columns in
        let mean = sum.y / max(sum.x, 1e-9)
        return Spread(
          mean: mean, deviation: max(0, sum.z / max(sum.x, 1e-9) - mean * mean).squareRoot(),
          letters: Double(columns.count) / (0.7 * Double(page.letterHeight)))
      }
    }
  }
}

extension LineLayout {
  /// A line's ink at a position on the page, by linear interpolation.
  fileprivate func ink(of line: Int16, _ page: PageInk, x: Double, y: Double) -> Float {
    let (x, y) = (x - 0.5, y - 0.5)
    let (left, top) = (Int(x.rounded(.down)), Int(y.rounded(.down)))
    let (u, v) = (Float(x - Double(left)), Float(y - Double(top)))
    func value(_ x: Int, _ y: Int) -> Float {
      guard (0..<page.ink.width).contains(x), (0..<page.ink.height).contains(y) else { return 0 }
      let index = y * page.ink.width + x
      return owners[index] == line ? page.ink.values[index] : 0
    }
    let above = value(left, top) * (1 - u) + value(left + 1, top) * u
    let below = value(left, top + 1) * (1 - u) + value(left + 1, top + 1) * u
    return above * (1 - v) + below * v
  }
}
