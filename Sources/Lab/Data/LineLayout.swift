import Foundation

/// Which line each pixel of ink belongs to, and how each line runs.
struct LineLayout {
  /// A line of writing in pixels of the page: a parabola through the middles of its letters.
  struct Curve {
    /// The column that `coefficients` are about.
    let middle: Double
    /// The row, slope and half the second derivative there.
    let coefficients: SIMD3<Double>
    /// The columns of the first and the last ink.
    var (left, right) = (0, 0)

    func row(at x: Double) -> Double {
      let x = x - middle
      return coefficients.x + x * (coefficients.y + x * coefficients.z)
    }

    func slope(at x: Double) -> Double { coefficients.y + 2 * (x - middle) * coefficients.z }

    /// The slope at a column, or at the end of the line if it ends before.
    func slope(near x: Double) -> Double { slope(at: min(max(x, Double(left)), Double(right))) }

    /// How many rows two lines are apart.
    func distance(to other: Curve) -> Double {
      abs(row(at: other.middle) - other.row(at: other.middle))
    }
  }

  /// The lines in reading order.
  private(set) var curves: [Curve] = []
  /// For each pixel the index of its line; −1 for paper, and for ink that is no writing.
  private(set) var owners: [Int16]
  private let width, height: Int

  init(_ page: PageInk) {
    (width, height) = (page.pieces.width, page.pieces.height)
    owners = [Int16](repeating: -1, count: width * height)
    let found = LineTracks(page)
    let middle = Double(width) / 2
    let tracks = found.tracks.sorted { $0.row(at: middle) < $1.row(at: middle) }
    guard !tracks.isEmpty, tracks.count < Int(Int16.max) else { return }
    let choice = Assignment(page, tracks)
    for (index, label) in page.pieces.labels.enumerated() where label >= 0 {
      owners[index] = Int16(choice.line(of: Int(label), x: index % width, y: index / width))
    }
    let columns = columnsOfLines(tracks.count)
    // Lines without letters are noise.
    let height = Double(page.letterHeight)
    var order: [(curve: Curve, letters: [Letter], old: Int)] = []
    for (number, track) in tracks.enumerated() {
      let letters = letters(columns[number], along: track, height: page.letterHeight)
      let tall = letters.filter { 2 * ($0.bottom - $0.top) > height }
      guard !tall.isEmpty else { continue }
      let curve = Curve(letters, along: track, slope: found.slope, height: height)
      order.append((curve, letters, number))
    }
    // A short line runs like longer ones near it.
    let long = order.filter { $0.letters.count >= 6 }.map(\.curve)
    for (index, (curve, letters, number)) in order.enumerated() where letters.count < 12 {
      let near = long.sorted { $0.distance(to: curve) < $1.distance(to: curve) }.prefix(3)
      let slopes = near.filter { $0.middle != curve.middle }.map { $0.slope(near: curve.middle) }
      guard !slopes.isEmpty else { continue }
      order[index].curve = Curve(
        letters, along: tracks[number], slope: slopes.reduce(0, +) / Double(slopes.count),
        height: height)
    }
    order.sort { a, b in
      let x = Double(max(a.curve.left, b.curve.left) + min(a.curve.right, b.curve.right)) / 2
      return a.curve.row(at: x) < b.curve.row(at: x)
    }
    curves = order.map(\.curve)
    var numbers = [Int16](repeating: -1, count: tracks.count)
    for (new, entry) in order.enumerated() { numbers[entry.old] = Int16(new) }
    for index in owners.indices where owners[index] >= 0 {
      owners[index] = numbers[Int(owners[index])]
    }
    takeSoftEdges(page)
  }

  /// For each line and column with ink, the first and the last row.
  private func columnsOfLines(_ count: Int) -> [[ClosedRange<Int>?]] {
    var columns = [[ClosedRange<Int>?]](
      repeating: [ClosedRange<Int>?](repeating: nil, count: width), count: count)
    for (index, owner) in owners.enumerated() where owner >= 0 {
      let (x, y) = (index % width, index / width)
      let old = columns[Int(owner)][x]
      columns[Int(owner)][x] = (old?.lowerBound ?? y)...y
    }
    return columns
  }

  /// A letter, or a part of joined letters that is about as wide.
  struct Letter {
    var left, right: Int
    /// The first row, and the one after the last, relative to the track.
    var top, bottom: Double
  }

  /// Divides a line's ink into parts that are at most as wide as wide letters.
  private func letters(
    _ columns: [ClosedRange<Int>?], along track: LineTracks.Track, height: Int
  ) -> [Letter] {
    var letters: [Letter] = []
    for (x, rows) in columns.enumerated() {
      guard let rows else { continue }
      let middle = track.row(at: Double(x) + 0.5)
      let (top, bottom) = (Double(rows.lowerBound) - middle, Double(rows.upperBound + 1) - middle)
      if let last = letters.last, last.right == x, (x - last.left) * 10 < 12 * height {
        letters[letters.count - 1].right = x + 1
        letters[letters.count - 1].top = min(last.top, top)
        letters[letters.count - 1].bottom = max(last.bottom, bottom)
      } else {
        letters.append(Letter(left: x, right: x + 1, top: top, bottom: bottom))
      }
    }
    return letters
  }

  /// Gives lines the soft edges of their strokes.
  private mutating func takeSoftEdges(_ page: PageInk) {
    for _ in 0..<3 {
      var grown = owners
      for y in 0..<height {
        for x in 0..<width where owners[y * width + x] < 0 {
          let index = y * width + x
          guard page.pieces.labels[index] < 0, page.ink.values[index] > 0.05 * page.strength
          else { continue }
          let near = [
            x > 0 ? owners[index - 1] : -1, x + 1 < width ? owners[index + 1] : -1,
            y > 0 ? owners[index - width] : -1, y + 1 < height ? owners[index + width] : -1,
          ]
          grown[index] = near.max() ?? -1
        }
      }
      owners = grown
    }
  }
}

extension LineLayout.Curve {
  /// The parabola with the least squared distances to the middles of letters.
  ///
  /// Few letters say little about the slope and less about the bend: then it is that of the page, and
  /// none.
  init(
    _ letters: [LineLayout.Letter], along track: LineTracks.Track, slope: Double, height: Double
  ) {
    let points = letters.map { letter in
      let x = Double(letter.left + letter.right) / 2
      let tall = min(1, (letter.bottom - letter.top) / height)
      return (x: x, y: track.row(at: x) + (letter.top + letter.bottom) / 2, weight: tall * tall)
    }
    let total = points.reduce(0) { $0 + $1.weight }
    let middle = points.reduce(0) { $0 + $1.weight * $1.x } / max(total, 1e-9)
    // How much letters' middles, the slopes of lines and their bends vary, in letters' heights.
    let (jitter, turn, bend) = (0.1, 0.02, 0.004)
    var weights = points.map(\.weight)
    var found = SIMD3<Double>(0, slope, 0)
    for _ in 0..<4 {
      var matrix = [[Double]](repeating: [Double](repeating: 0, count: 3), count: 3)
      var right = [Double](repeating: 0, count: 3)
      for (point, weight) in zip(points, weights) {
        let u = (point.x - middle) / height
        let basis = [1, u, u * u]
        let target = point.y / height - slope * u
        for row in 0..<3 {
          right[row] += weight * basis[row] * target
          for column in 0..<3 { matrix[row][column] += weight * basis[row] * basis[column] }
        }
      }
      matrix[1][1] += jitter * jitter / (turn * turn)
      matrix[2][2] += jitter * jitter / (bend * bend)
      let solution = solved(matrix, right)
      found = SIMD3(solution[0] * height, solution[1] + slope, solution[2] / height)
      // Far from the line, a letter counts less.
      weights = points.map { point in
        let x = point.x - middle
        let distance = abs(point.y - found.x - x * (found.y + x * found.z)) / height
        return point.weight * min(1, 0.15 / max(distance, 1e-9))
      }
    }
    (self.middle, coefficients) = (middle, found)
    (left, right) = (letters.first?.left ?? 0, letters.last?.right ?? 0)
  }
}

/// The solution of three linear equations with a positive definite matrix.
private func solved(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
  var (a, b) = (matrix, right)
  for pivot in 0..<3 {
    for row in pivot + 1..<3 where a[pivot][pivot] > 0 {
      let factor = a[row][pivot] / a[pivot][pivot]
      for column in pivot..<3 { a[row][column] -= factor * a[pivot][column] }
      b[row] -= factor * b[pivot]
    }
  }
  var x = [0.0, 0, 0]
  for row in [2, 1, 0] where a[row][row] > 0 {
    x[row] = (b[row] - (row + 1..<3).reduce(0) { $0 + a[row][$1] * x[$1] }) / a[row][row]
  }
  return x
}

/// Which line each piece of ink belongs to.
private struct Assignment {
  /// For each piece: no line, one line, or several with a border between them.
  private enum Owner {
    case none
    case one(Int)
    /// The lines from the first on, and where the border to the next one is, from 0 to 1.
    case several(first: Int, borders: [Double])
  }

  private var owners: [Owner]
  private let tracks: [LineTracks.Track]

  init(_ page: PageInk, _ tracks: [LineTracks.Track]) {
    self.tracks = tracks
    let height = Double(page.letterHeight)
    let pieces = page.pieces.pieces
    owners = [Owner](repeating: .none, count: pieces.count)
    var large: [Int] = []
    for (index, piece) in pieces.enumerated()
    where page.isWriting[index] && Double(piece.height) >= 0.45 * height {
      let x = Double(piece.left + piece.right) / 2
      let (top, bottom) = (Double(piece.top), Double(piece.bottom))
      let near = tracks.indices.filter { tracks[$0].isNear(x, within: 4 * height) }
      let inside = near.filter {
        let row = tracks[$0].row(at: x)
        return row > top + 0.2 * height && row < bottom - 0.2 * height
      }
      if let first = inside.first, let last = inside.last, inside.count > 1,
        inside.count == last - first + 1
      {
        let borders = zip(inside, inside.dropFirst()).map {
          border(of: index, from: tracks[$0], to: tracks[$1], page)
        }
        owners[index] = .several(first: first, borders: borders)
      } else if let nearest = nearest(near, x, (top + bottom) / 2, within: 0.9 * height) {
        owners[index] = .one(nearest)
      }
      if case .none = owners[index] { continue }
      large.append(index)
    }
    for (index, piece) in pieces.enumerated()
    where page.isWriting[index] && Double(piece.height) < 0.45 * height {
      owners[index] = owner(ofSmall: piece, large, page, height)
    }
  }

  /// A dot or an accent belongs to the letter near it, first of all to the one below it.
  private func owner(
    ofSmall piece: InkPieces.Piece, _ large: [Int], _ page: PageInk, _ height: Double
  ) -> Owner {
    let x = Double(piece.left + piece.right) / 2
    let y = Double(piece.top + piece.bottom) / 2
    func cost(_ index: Int) -> Double {
      let other = page.pieces.pieces[index]
      let across = Double(max(0, piece.columns(to: other)))
      let down = Double(max(0, piece.rows(to: other)))
      return across + down * (piece.top < other.top ? 1 : 1.5)
    }
    let near = large.map { ($0, cost($0)) }.min { $0.1 < $1.1 }
    if let near, near.1 < 0.6 * height {
      if case .one(let line) = owners[near.0] {
        return abs(tracks[line].row(at: x) - y) < 1.2 * height ? .one(line) : .none
      }
    }
    let lines = tracks.indices.filter { tracks[$0].isNear(x, within: 2 * height) }
    return nearest(lines, x, y, within: 0.7 * height).map { .one($0) } ?? .none
  }

  private func nearest(_ lines: [Int], _ x: Double, _ y: Double, within limit: Double) -> Int? {
    let line = lines.min { abs(tracks[$0].row(at: x) - y) < abs(tracks[$1].row(at: x) - y) }
    return line.flatMap { abs(tracks[$0].row(at: x) - y) < limit ? $0 : nil }
  }

  /// Where the fewest pixels of a piece are, between the middles of two lines.
  private func border(
    of index: Int, from upper: LineTracks.Track, to lower: LineTracks.Track, _ page: PageInk
  ) -> Double {
    let piece = page.pieces.pieces[index]
    var counts = [Int](repeating: 0, count: 21)
    for y in piece.top..<piece.bottom {
      for x in piece.left..<piece.right
      where page.pieces.labels[y * page.pieces.width + x] == Int32(index) {
        let share = Self.share(Double(x) + 0.5, Double(y) + 0.5, upper, lower)
        if (0.2...0.8).contains(share) { counts[Int((share - 0.2) / 0.6 * 20)] += 1 }
      }
    }
    // Of equal ones the middle one.
    let best = counts.indices.min {
      (counts[$0], abs($0 - 10)) < (counts[$1], abs($1 - 10))
    }
    return 0.2 + 0.6 * (Double(best ?? 10) + 0.5) / 20
  }

  /// A position between two lines: 0 on the upper one, 1 on the lower one.
  private static func share(
    _ x: Double, _ y: Double, _ upper: LineTracks.Track, _ lower: LineTracks.Track
  ) -> Double {
    let (top, bottom) = (upper.row(at: x), lower.row(at: x))
    return (y - top) / max(bottom - top, 1e-9)
  }

  /// The line of a pixel; −1 if it has none.
  func line(of piece: Int, x: Int, y: Int) -> Int {
    switch owners[piece] {
    case .none: return -1
    case .one(let line): return line
    case .several(let first, let borders):
      var line = first
      for (number, border) in borders.enumerated() {
        let share = Self.share(
          Double(x) + 0.5, Double(y) + 0.5, tracks[first + number], tracks[first + number + 1])
        if share > border { line = first + number + 1 }
      }
      return line
    }
  }
}

extension LineTracks.Track {
  /// Whether a column is not far beyond the line's ends.
  fileprivate func isNear(_ x: Double, within limit: Double) -> Bool {
    x > left - limit && x < right + limit
  }
}
