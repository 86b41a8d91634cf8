import Foundation

/// Where the lines of writing run on a page.
///
/// Each letter is filled between its top and its bottom, and the page is blurred along the lines: then
/// each line is a ridge. The slope of most lines is the one at which the sums of rows differ most.
///
/// Source: S. S. Bukhari, F. Shafait, T. M. Breuel, "Script-independent handwritten textlines
/// segmentation using active contours" (2009), for the ridges.
struct LineTracks {
  /// A path through the middles of letters, in pixels.
  struct Track {
    /// The rows at the middles of blocks of columns.
    let rows: [Double]
    /// The first column, and the width of a block.
    let start, block: Double
    /// The rows per column beyond the first and the last block.
    let slopes: (left: Double, right: Double)
    /// About as many pixels as the line's letters are wide.
    let mass: Double

    var left: Double { start }
    var right: Double { start + block * Double(rows.count) }

    func row(at x: Double) -> Double {
      let place = (x - start) / block - 0.5
      if place < 0 { return rows[0] + place * block * slopes.left }
      let last = rows.count - 1
      guard place < Double(last) else {
        return rows[last] + (place - Double(last)) * block * slopes.right
      }
      let share = place - place.rounded(.down)
      return rows[Int(place)] * (1 - share) + rows[Int(place) + 1] * share
    }
  }

  /// The rows per column of most lines.
  let slope: Double
  private(set) var tracks: [Track] = []

  /// The steepest slope of lines: about 12 degrees.
  private static let steepest = 0.21

  init(_ page: PageInk) {
    let height = Double(page.letterHeight)
    let factor = max(1, page.letterHeight / 8)
    let filled = page.filled(by: factor)
    slope = Self.slope(of: filled)
    let unit = height / Double(factor)
    let level = filled.sheared(slope)
    let ridges = level.blurred(across: 2.5 * unit, down: 0.2 * unit)
    let middle = (x: Double(filled.width) / 2, y: Double(level.height - filled.height) / 2)
    // How many blocks from the end of a line its direction there is taken from.
    let reach = Int(6 * unit)
    tracks = Self.ridges(of: ridges, unit: unit).map { ridge -> Track in
      // Back from blocks of the sheared page to pixels.
      var rows: [Double] = []
      for (index, point) in ridge.points.enumerated() {
        let x = Double(ridge.first + index) - middle.x
        rows.append((point.row - middle.y + slope * x + 0.5) * Double(factor))
      }
      let last = rows.count - 1
      return Track(
        rows: rows, start: Double(ridge.first * factor), block: Double(factor),
        slopes: last < reach / 3
          ? (slope, slope)
          : (
            Self.slope(rows, 0, min(reach, last)) / Double(factor),
            Self.slope(rows, max(0, last - reach), last) / Double(factor)
          ),
        mass: ridge.mass * Double(factor))
    }
    removeDoubles(height)
  }

  /// The rows per block between two blocks.
  private static func slope(_ rows: [Double], _ from: Int, _ to: Int) -> Double {
    (rows[to] - rows[from]) / Double(max(1, to - from))
  }

  /// The slope at which letters are on as few rows as possible.
  private static func slope(of filled: Plane) -> Double {
    var columns: [(x: Double, y: Int, value: Double)] = []
    for y in 0..<filled.height {
      for x in 0..<filled.width where filled[x, y] > 0 {
        columns.append((Double(x) - Double(filled.width) / 2, y, Double(filled[x, y])))
      }
    }
    let reach = Int(steepest * Double(filled.width) / 2) + 2
    func clearness(_ slope: Double) -> Double {
      var rows = [Double](repeating: 0, count: filled.height + 2 * reach + 1)
      for (x, y, value) in columns {
        let row = Double(y + reach) - slope * x
        let share = row - row.rounded(.down)
        rows[Int(row)] += value * (1 - share)
        rows[Int(row) + 1] += value * share
      }
      // Few letters say little about the slope; most lines are nearly horizontal.
      return rows.reduce(0) { $0 + $1 * $1 } * exp(-slope * slope / 0.18)
    }
    let slopes = stride(from: -steepest, through: steepest, by: 0.005)
    return slopes.map { ($0, clearness($0)) }.max { $0.1 < $1.1 }?.0 ?? 0
  }

  /// A ridge: for each column from `first` on, its row and its height.
  private struct Ridge {
    let first: Int
    var points: [(row: Double, height: Double)]
    var mass: Double { points.reduce(0) { $0 + $1.height } }
  }

  /// Follows maxima from column to column.
  ///
  /// - Parameter unit: The height of letters.
  private static func ridges(of plane: Plane, unit: Double) -> [Ridge] {
    var (done, open): ([Ridge], [Ridge]) = ([], [])
    for x in 0..<plane.width {
      var maxima: [(row: Double, height: Double)] = []
      for y in 0..<plane.height {
        let value = plane[x, y]
        let (above, below) = (
          y > 0 ? plane[x, y - 1] : 0, y + 1 < plane.height ? plane[x, y + 1] : 0
        )
        guard value > 0.02, value >= above, value > below else { continue }
        let bend = above - 2 * value + below
        let shift = bend < 0 ? Double((above - below) / (2 * bend)) : 0
        maxima.append((Double(y) + shift, Double(value)))
      }
      var continued: [Ridge] = []
      for var ridge in open {
        let row = ridge.points[ridge.points.count - 1].row
        let nearest = maxima.indices.min { abs(maxima[$0].row - row) < abs(maxima[$1].row - row) }
        if let nearest, abs(maxima[nearest].row - row) < 0.3 * unit {
          ridge.points.append(maxima.remove(at: nearest))
          continued.append(ridge)
        } else {
          done.append(ridge)
        }
      }
      open = continued + maxima.map { Ridge(first: x, points: [$0]) }
    }
    return (done + open).filter { $0.mass > 0.08 * unit }
  }

  /// Removes tracks in the same row as a stronger one; its letters may be further to the side.
  private mutating func removeDoubles(_ height: Double) {
    tracks.sort { $0.mass > $1.mass }
    var kept: [Track] = []
    for track in tracks {
      let middle = (track.left + track.right) / 2
      let isDouble = kept.contains { other in
        let nearest = min(max(middle, other.left), other.right)
        let isNear = abs(nearest - middle) < (track.right - track.left) / 2 + 2 * height
        return isNear && abs(other.row(at: nearest) - track.row(at: nearest)) < 0.6 * height
      }
      if !isDouble { kept.append(track) }
    }
    tracks = kept
  }
}

extension PageInk {
  /// The page in blocks, with all letters filled between their tops and bottoms.
  ///
  /// - Parameter factor: The height and width of a block.
  fileprivate func filled(by factor: Int) -> Plane {
    // For each column of a piece, the first and the last row.
    var starts: [Int] = []
    var count = 0
    for piece in pieces.pieces {
      starts.append(count)
      count += piece.width
    }
    var tops = [Int](repeating: .max, count: count)
    var bottoms = [Int](repeating: 0, count: count)
    let width = pieces.width
    var filled = Plane(
      values: [Float](repeating: 0, count: pieces.labels.count), width: width,
      height: pieces.height)
    for (index, label) in pieces.labels.enumerated() where label >= 0 && isWriting[Int(label)] {
      let (x, y) = (index % width, index / width)
      let column = starts[Int(label)] + x - pieces.pieces[Int(label)].left
      tops[column] = min(tops[column], y)
      bottoms[column] = max(bottoms[column], y)
      filled.values[index] = 1
    }
    for (number, piece) in pieces.pieces.enumerated()
    where isWriting[number] && piece.height * 10 < letterHeight * 17 {
      for x in piece.left..<piece.right {
        let column = starts[number] + x - piece.left
        guard tops[column] <= bottoms[column] else { continue }
        for y in tops[column]...bottoms[column] { filled.values[y * width + x] = 1 }
      }
    }
    return filled.averaged(by: factor)
  }
}

extension Plane {
  /// The plane with each column shifted up by a slope times its distance from the middle.
  fileprivate func sheared(_ slope: Double) -> Plane {
    let margin = Int((abs(slope) * Double(width) / 2).rounded(.up)) + 1
    var result = Plane(
      values: [Float](repeating: 0, count: width * (height + 2 * margin)), width: width,
      height: height + 2 * margin)
    for x in 0..<width {
      let shift = Double(margin) - slope * (Double(x) - Double(width) / 2)
      let (whole, share) = (Int(shift.rounded(.down)), Float(shift - shift.rounded(.down)))
      for y in 0..<height where self[x, y] > 0 {
        let row = y + whole
        for (near, weight) in [(row, 1 - share), (row + 1, share)]
        where (0..<result.height).contains(near) {
          result.values[near * width + x] += weight * self[x, y]
        }
      }
    }
    return result
  }
}
