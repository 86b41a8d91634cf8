import Foundation

/// The ink on a page of writing: what differs from the paper around it, without printed lines.
struct PageInk {
  /// The ink of each pixel, relative to the paper's brightness; 0 for paper.
  let ink: Plane
  /// The pieces of ink.
  let pieces: InkPieces
  /// Which of the pieces may be writing.
  private(set) var isWriting: [Bool]
  /// The height of most letters in pixels.
  private(set) var letterHeight = 0
  /// How strong most strokes are.
  let strength: Float

  /// The smallest height of letters in pixels.
  static let leastHeight = 8

  /// - Returns: `nil` if there is nothing like writing on the page.
  init?(_ picture: Plane) {
    // More than a letter, if it is not larger than a tenth of the page.
    let reach = max(48, min(picture.width, picture.height) / 10)
    let surroundings = Surroundings(picture, most: 300, reach: reach)
    let paper = Paper.uneven(surroundings)
    let deviation = picture.noise
    let noise = deviation / max(surroundings.means.middle, 0.1)
    let inks = [true, false].map { paper.ink(of: picture, isDark: $0) }
    let strongest = inks.map { $0.values.max() ?? 0 }.max() ?? 0
    let thin = inks.map { $0.thinMass(above: 0.25 * min(1, strongest)) }
    let isDark = thin[0] >= thin[1]
    var ink = inks[isDark ? 0 : 1]
    guard (ink.values.max() ?? 0) >= CharacterInk.leastContrast else { return nil }

    let faint = max(0.04, 1.5 * noise)
    // Rulings may be most of the ink: how strong strokes are is known without them only.
    for _ in 0..<2 {
      let strength = ink.strokeStrength(noise)
      ink = Rulings(ink, above: faint).removed(from: ink, strength: strength)
      let turned = ink.transposed
      ink = Rulings(turned, above: faint).removed(from: turned, strength: strength).transposed
    }
    strength = ink.strokeStrength(noise)
    self.ink = ink
    // Where there is little light, noise is as strong as ink.
    let levels = surroundings.levels(of: picture, isDark: isDark)
    var clear = ink
    clear.values = zip(ink.values, levels.values).map { ink, level in
      ink * max(level, 0.1) > 4.5 * deviation ? ink : 0
    }
    pieces = InkPieces(clear, above: max(0.4 * strength, CharacterInk.leastContrast))
    isWriting = pieces.pieces.map { piece in
      piece.height >= Self.leastHeight && piece.width < ink.width / 2 + 2 * piece.height
        && piece.edgeCount * 4 <= piece.count
    }
    guard let height = medianHeight else { return nil }
    letterHeight = height
    let sheets = Sheets(surroundings, isDark: isDark, pieces, letterHeight: height)
    leaveOut(sheets)
    guard let height = medianHeight else { return nil }
    letterHeight = height
    isWriting = zip(pieces.pieces, isWriting).map { piece, isWriting in
      // Dots are lower than letters, and belong to them.
      isWriting
        || (piece.height < Self.leastHeight || piece.width < Self.leastHeight)
          && piece.count * 100 > height * height && piece.edgeCount == 0
    }
    leaveOut(sheets)
  }

  /// The median of the heights of pieces, each counted as often as it has pixels.
  private var medianHeight: Int? {
    let writing = zip(pieces.pieces, isWriting).filter { $1 }.map { $0.0 }
    var left = writing.reduce(0) { $0 + $1.count } / 2
    return writing.sorted { $0.height < $1.height }.first {
      left -= $0.count
      return left <= 0
    }?.height
  }

  /// Leaves out pieces that are not on a sheet.
  private mutating func leaveOut(_ sheets: Sheets) {
    var outside = [Int](repeating: 0, count: pieces.pieces.count)
    for (index, label) in pieces.labels.enumerated() where label >= 0 {
      if !sheets.contains(x: index % pieces.width, y: index / pieces.width) {
        outside[Int(label)] += 1
      }
    }
    for (index, piece) in pieces.pieces.enumerated() where outside[index] * 3 > piece.count {
      isWriting[index] = false
    }
  }
}

/// What is paper in a photograph, and not the table around it.
///
/// The brightness of the surroundings divides a picture into areas with steps between them. An area at
/// the picture's edge that is much darker or lighter than the one with the most letters, and has ink
/// unlike letters, is no paper. Ink in a shadow is like letters.
private struct Sheets {
  private let isPaper: [Bool]
  private let width, factor: Int

  /// The width of thick strokes in pixels.
  private static let stroke = 20
  /// The smallest ratio of the brightnesses of a sheet and a table.
  private static let leastRatio: Float = 1.5

  init(_ surroundings: Surroundings, isDark: Bool, _ pieces: InkPieces, letterHeight: Int) {
    let means = surroundings.means
    // When each block is as light as the lightest one nearby, dark strokes are gone.
    let times = (Self.stroke + 4 * surroundings.factor - 1) / (4 * surroundings.factor)
    let choices: [(Float, Float) -> Float] = isDark ? [max, min] : [min, max]
    var levels = means
    for choice in choices {
      for _ in 0..<times { levels = levels.nearby(choice) }
    }
    (width, factor) = (levels.width, surroundings.factor)
    let areas = Areas(levels)
    // The number of pixels of pieces that are like letters, and of all.
    var letters = [Int](repeating: 0, count: areas.levels.count)
    var all = letters
    for piece in pieces.pieces {
      let x = min((piece.left + piece.right) / 2 / factor, levels.width - 1)
      let y = min((piece.top + piece.bottom) / 2 / factor, levels.height - 1)
      let area = areas.labels[y * levels.width + x]
      all[area] += piece.count
      let isLetter =
        2 * piece.height > letterHeight && piece.height < 2 * letterHeight
        && piece.width < 6 * letterHeight && piece.edgeCount == 0
      if isLetter { letters[area] += piece.count }
    }
    let page = letters.indices.max { letters[$0] < letters[$1] } ?? 0
    let isUnlike = letters.indices.map { area in
      10 * letters[area] <= 7 * all[area]
        && abs(areas.levels[area] - areas.levels[page]) > Self.leastRatio.logarithm
    }
    let outside = Plane(
      values: areas.reached { isUnlike[$0] }.map { $0 ? 1 : 0 }, width: levels.width,
      height: levels.height)
    // The edge of a sheet is no paper either.
    isPaper = outside.nearby(max).values.map { $0 == 0 }
  }

  func contains(x: Int, y: Int) -> Bool { isPaper[y / factor * width + x / factor] }
}

/// The parts of a plane that are divided by steps of brightness.
private struct Areas {
  private let width, height: Int
  private(set) var labels: [Int]
  /// The logarithm of the mean of each area.
  private(set) var levels: [Float] = []

  /// The smallest difference of the logarithms across a step.
  private static let step: Float = 0.35

  init(_ plane: Plane) {
    (width, height) = (plane.width, plane.height)
    var logarithms = plane
    logarithms.values = plane.values.map { max($0, 0.02).logarithm }
    let isStep = zip(logarithms.nearby(max).values, logarithms.nearby(min).values)
      .map { $0 - $1 > Self.step }
    labels = [Int](repeating: -1, count: isStep.count)
    var borders: [Int] = []
    for start in labels.indices where labels[start] < 0 && !isStep[start] {
      var stack = [start]
      var sum: Float = 0
      var count: Float = 0
      labels[start] = levels.count
      while let index = stack.popLast() {
        sum += logarithms.values[index]
        count += 1
        for next in neighbors(index) where labels[next] < 0 {
          guard !isStep[next] else {
            borders.append(index)
            continue
          }
          labels[next] = levels.count
          stack.append(next)
        }
      }
      levels.append(sum / count)
    }
    // What is at a step belongs to the nearest area.
    while !borders.isEmpty {
      var next: [Int] = []
      for index in borders {
        for neighbor in neighbors(index) where labels[neighbor] < 0 {
          labels[neighbor] = labels[index]
          next.append(neighbor)
        }
      }
      borders = next
    }
    if levels.isEmpty { (labels, levels) = (labels.map { _ in 0 }, [0]) }
  }

  private func neighbors(_ index: Int) -> [Int] {
    let (x, y) = (index % width, index / width)
    return [(1, 0), (-1, 0), (0, 1), (0, -1)].compactMap { dx, dy in
      (0..<width).contains(x + dx) && (0..<height).contains(y + dy)
        ? index + dy * width + dx : nil
    }
  }

  /// Which elements can be reached from the plane's edges within some areas.
  func reached(_ isIncluded: (Int) -> Bool) -> [Bool] {
    var reached = [Bool](repeating: false, count: labels.count)
    var stack = labels.indices.filter { neighbors($0).count < 4 && isIncluded(labels[$0]) }
    for index in stack { reached[index] = true }
    while let index = stack.popLast() {
      for next in neighbors(index) where !reached[next] && isIncluded(labels[next]) {
        reached[next] = true
        stack.append(next)
      }
    }
    return reached
  }
}

extension Float {
  fileprivate var logarithm: Float { Float(log(Double(self))) }
}

extension Plane {
  /// The median.
  fileprivate var middle: Float {
    let sample = stride(from: 0, to: values.count, by: max(1, values.count / 10_000))
      .map { values[$0] }.sorted()
    return sample[sample.count / 2]
  }

  /// The sum of ink above a limit that is in thin strokes, and not in large areas.
  fileprivate func thinMass(above limit: Float) -> Float {
    let small = averaged(by: max(1, max(width, height) / 600), isPadded: false)
    // The opening: strokes are gone when each pixel is as faint as the faintest one nearby.
    let opened = small.nearby(min).nearby(min).nearby(max).nearby(max)
    return zip(small.values, opened.values).reduce(0) { sum, pair in
      pair.0 > limit ? sum + min(1, pair.0) - min(1, pair.1) : sum
    }
  }

  /// How strong ink is where it is strong enough to be a stroke.
  fileprivate func strokeStrength(_ noise: Float) -> Float {
    let limit = max(5 * noise, CharacterInk.leastContrast)
    let all = values.filter { $0 > limit }
    // Rulings and the soft edges of strokes are fainter.
    let (split, _) = inkSplit(all)
    let strong = all.filter { $0 > split }.sorted()
    return strong.isEmpty ? limit : strong[strong.count / 2]
  }
}
