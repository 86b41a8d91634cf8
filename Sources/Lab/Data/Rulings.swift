/// Lines printed on paper: long, straight, thin and evenly dark; and frames and the edges of a sheet.
///
/// A row of letters is never a ruling: above or below it there is about as much ink.
struct Rulings {
  /// For cells of `step` × 1 pixels, how strong the ruling's ink is; 0 without one.
  private var levels: Plane
  /// How many pixels wide a cell is.
  private static let step = 4
  /// How much of a ruling has ink, at least; letters and noise may cover the rest.
  private static let leastShare: Float = 0.75
  /// How much more of it has ink than of the rows near it.
  private static let leastContrast: Float = 0.22
  /// How many times longer than thick a ruling is, at least.
  private static let leastAspect = 25
  /// The steepest slope.
  private static let steepest = 0.15

  /// Finds lines that are nearly horizontal.
  ///
  /// - Parameters:
  ///   - ink: The ink of each pixel.
  ///   - limit: Smaller values may be noise.
  init(_ ink: Plane, above limit: Float) {
    let step = Self.step
    let (width, height) = (ink.width / step, ink.height)
    levels = Plane(
      values: [Float](repeating: 0, count: width * height), width: width, height: height)
    // A part of a ruling that is looked at in one go, in cells; paper may be bent.
    let block = max(4, ink.width / (10 * step) / 4)
    let blocks = width / block
    guard blocks >= 8, height >= 16 else { return }
    let means = ink.columnsAveraged(by: step)
    let distance = max(4, ink.width / 300)
    // From one slope to the next, the ends of a part move by less than a pixel.
    let slopes = stride(
      from: -Self.steepest, through: Self.steepest, by: 1 / Double(2 * block * step))
    for slope in slopes {
      let shifts = (0..<width).map {
        Int((slope * Double(($0 - width / 2) * step)).rounded())
      }
      let margin = max(shifts.max() ?? 0, -(shifts.min() ?? 0))
      let rows = height + 2 * margin
      // In each block of a slanted row, the number of cells with ink.
      var counts = [Float](repeating: 0, count: rows * blocks)
      for y in 0..<height {
        for x in 0..<blocks * block where means.values[y * width + x] > limit {
          counts[(y - shifts[x] + margin) * blocks + x / block] += 1
        }
      }
      mark(counts, means, shifts, margin: margin, block: block, distance: distance, limit)
    }
    keepLong(ink.width)
  }

  /// Marks the parts of slanted rows that are rulings.
  private mutating func mark(
    _ counts: [Float], _ means: Plane, _ shifts: [Int], margin: Int, block: Int, distance: Int,
    _ limit: Float
  ) {
    let blocks = levels.width / block
    let whole = Float(4 * block)
    let rows = levels.height + 2 * margin
    for row in 0..<rows {
      for first in 0...blocks - 4 {
        func share(_ row: Int) -> Float {
          guard (0..<rows).contains(row) else { return 0 }
          let start = row * blocks + first
          return (counts[start] + counts[start + 1] + counts[start + 2] + counts[start + 3]) / whole
        }
        let own = share(row)
        guard own >= Self.leastShare,
          own - max(share(row - distance), share(row + distance)) >= Self.leastContrast
        else { continue }
        // What is left over at the end belongs to the last part.
        let columns = first * block..<(first == blocks - 4 ? levels.width : (first + 4) * block)
        let cells = columns.compactMap { x -> Int? in
          let y = row - margin + shifts[x]
          guard (0..<levels.height).contains(y) else { return nil }
          let index = y * levels.width + x
          return means.values[index] > limit ? index : nil
        }
        // Strokes that touch the ruling are darker.
        let level = cells.map { means.values[$0] }.sorted()[cells.count / 3]
        for index in cells {
          levels.values[index] =
            levels.values[index] == 0 ? level : min(levels.values[index], level)
        }
      }
    }
  }

  /// Forgets what is not longer than a fourth of the picture's width, or thick like a stroke.
  private mutating func keepLong(_ width: Int) {
    let pieces = InkPieces(levels, above: 0)
    var values = [[Float]](repeating: [], count: pieces.pieces.count)
    for (label, level) in zip(pieces.labels, levels.values) where label >= 0 {
      values[Int(label)].append(level)
    }
    // A ruling has one strength; where it seems stronger, letters are on it.
    let limits = zip(pieces.pieces, values).map { piece, values -> Float in
      let length = piece.width * Self.step
      let isLong = length * 4 >= width && length * piece.width >= Self.leastAspect * piece.count
      return isLong ? 1.3 * values.sorted()[values.count / 2] : 0
    }
    for index in levels.values.indices where pieces.labels[index] >= 0 {
      levels.values[index] = min(levels.values[index], limits[Int(pieces.labels[index])])
    }
  }

  /// The ink without the rulings. Strokes across a ruling remain.
  ///
  /// - Parameter strength: How strong the ink of strokes is.
  func removed(from ink: Plane, strength: Float) -> Plane {
    var result = ink
    let step = Self.step
    for x in 0..<levels.width {
      var y = 0
      while y < levels.height {
        let level = levels[x, y]
        guard level > 0 else {
          y += 1
          continue
        }
        var end = y
        while end < levels.height, levels[x, end] > 0 { end += 1 }
        for column in x * step..<(x == levels.width - 1 ? ink.width : (x + 1) * step) {
          remove(column, y..<end, level: level, strength, ink, &result)
        }
        y = end
      }
    }
    return result
  }

  /// Removes a ruling from one column.
  private func remove(
    _ x: Int, _ rows: Range<Int>, level: Float, _ strength: Float, _ ink: Plane,
    _ result: inout Plane
  ) {
    let near = max(0, rows.lowerBound - 2)..<min(ink.height, rows.upperBound + 2)
    if level < 0.55 * strength {
      for y in near where ink[x, y] < 1.7 * level { result.values[y * ink.width + x] = 0 }
      return
    }
    // A ruling as strong as the strokes: a stroke that crosses it is longer than the ruling is thick.
    var (top, bottom) = (rows.lowerBound, rows.upperBound)
    while top > 0, ink[x, top - 1] > 0.5 * level { top -= 1 }
    while bottom < ink.height, ink[x, bottom] > 0.5 * level { bottom += 1 }
    if bottom - top <= rows.count + 4 {
      for y in min(top, near.lowerBound)..<max(bottom, near.upperBound) {
        result.values[y * ink.width + x] = 0
      }
    }
  }
}

extension Plane {
  /// The means of groups of neighboring columns, without an incomplete group at the end.
  fileprivate func columnsAveraged(by count: Int) -> Plane {
    let groups = width / count
    var means = [Float](repeating: 0, count: groups * height)
    for y in 0..<height {
      for x in 0..<groups * count { means[y * groups + x / count] += values[y * width + x] }
    }
    return Plane(values: means.map { $0 / Float(count) }, width: groups, height: height)
  }
}
