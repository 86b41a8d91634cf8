import LabData

/// How well the lines of a drawn page were found.
package struct PageScore: Sendable {
  /// The numbers of true lines, of found ones, and of found ones that share most of their area with a
  /// true one.
  package var lines = 0, found = 0, matched = 0
  /// For each true line the index of the found one.
  package var matches: [Int?] = []
  /// For each matched line, the area that both outlines share, as a fraction of what either one has.
  package var overlaps: [Double] = []
  /// For each matched line, the correlation of its image with the one that was drawn.
  package var correlations: [Double] = []
  /// For each matched line, the ratio of the found height to the true one.
  package var heights: [Double] = []

  /// The smallest overlap of lines that match.
  private static let least = 0.5

  /// For each matched line, how far the middle of its image is from that of the true line at most, in
  /// pixels of EMNIST's images.
  package var drifts: [Double] = []

  package init(_ page: DrawnPage, _ found: PagePicture) {
    lines = page.lines.count
    self.found = found.lines.count
    let scale = (Double(page.picture.width) / Double(found.width)).rounded()
    let outlines = found.lines.map { $0.outline.map { SIMD2($0.x, $0.y) * scale } }
    var pairs: [(line: Int, found: Int, overlap: Double)] = []
    for (number, line) in page.lines.enumerated() {
      for (index, outline) in outlines.enumerated() {
        let overlap = Region(line.outline).overlap(with: Region(outline))
        if overlap >= Self.least { pairs.append((number, index, overlap)) }
      }
    }
    matches = Array(repeating: nil, count: page.lines.count)
    for pair in pairs.sorted(by: { $0.overlap > $1.overlap })
    where matches[pair.line] == nil && !matches.contains(pair.found) {
      matches[pair.line] = pair.found
      matched += 1
      overlaps.append(pair.overlap)
      add(page.lines[pair.line], found.lines[pair.found], scale: scale)
    }
  }

  /// Compares the image of a line with the one that was drawn.
  private mutating func add(_ line: DrawnPage.Line, _ found: PageLine, scale: Double) {
    func position(_ x: Double, _ y: Double) -> SIMD2<Double> {
      let point = found.point(x: x, y: y)
      return line.position(of: SIMD2(point.x, point.y) * scale)
    }
    var sums = SIMD8<Double>.zero
    for y in 0..<28 {
      for x in 0..<found.width {
        let place = position(Double(x) + 0.5, Double(y) + 0.5) - 0.5
        let (p, q) = (Double(found.pixels[y * found.width + x]), line.value(at: place))
        sums += SIMD8(p, q, p * p, q * q, p * q, 1, 0, 0)
      }
    }
    let mean = sums / sums[5]
    let variances = (mean[2] - mean[0] * mean[0]) * (mean[3] - mean[1] * mean[1])
    correlations.append((mean[4] - mean[0] * mean[1]) / max(variances, 1e-9).squareRoot())
    let middle = stride(from: 8.0, to: Double(found.width) - 8, by: 4).map {
      (top: position($0, 0).y, middle: position($0, 14).y, bottom: position($0, 28).y)
    }
    drifts.append(middle.map { abs($0.middle - 14) }.max() ?? 0)
    let heights = middle.map { ($0.bottom - $0.top) / 28 }
    self.heights.append(heights.reduce(0, +) / Double(max(1, heights.count)))
  }
}

extension DrawnPage.Line {
  /// The ink between the centers of pixels, by linear interpolation.
  fileprivate func value(at place: SIMD2<Double>) -> Double {
    let (left, top) = (Int(place.x.rounded(.down)), Int(place.y.rounded(.down)))
    let (u, v) = (place.x - Double(left), place.y - Double(top))
    func value(_ x: Int, _ y: Int) -> Double {
      (0..<width).contains(x) && (0..<28).contains(y) ? Double(pixels[y * width + x]) : 0
    }
    let above = value(left, top) * (1 - u) + value(left + 1, top) * u
    let below = value(left, top + 1) * (1 - u) + value(left + 1, top + 1) * u
    return above * (1 - v) + below * v
  }
}

/// The inside of a polygon, as ranges of columns in every second row.
private struct Region {
  private var rows: [Int: ClosedRange<Double>] = [:]

  init(_ corners: [SIMD2<Double>]) {
    let ends = zip(corners, corners.dropFirst() + corners.prefix(1))
    for (a, b) in ends where a.y != b.y {
      let (top, bottom) = (min(a.y, b.y), max(a.y, b.y))
      for row in Int(
        (top / 2).rounded(.up))..<max(Int((top / 2).rounded(.up)), Int((bottom / 2).rounded(.up)))
      {
        let x = a.x + (Double(2 * row) - a.y) / (b.y - a.y) * (b.x - a.x)
        let old = rows[row] ?? x...x
        rows[row] = min(old.lowerBound, x)...max(old.upperBound, x)
      }
    }
  }

  /// The area of both, as a fraction of that of either one.
  func overlap(with other: Region) -> Double {
    func length(_ range: ClosedRange<Double>) -> Double { range.upperBound - range.lowerBound }
    let both = rows.reduce(0) { sum, row in
      guard let range = other.rows[row.key] else { return sum }
      let (first, last) = (
        max(range.lowerBound, row.value.lowerBound), min(range.upperBound, row.value.upperBound)
      )
      return sum + max(0, last - first)
    }
    let all = [rows, other.rows].map { $0.values.reduce(0) { $0 + length($1) } }
    return both / max(all[0] + all[1] - both, 1e-9)
  }
}
