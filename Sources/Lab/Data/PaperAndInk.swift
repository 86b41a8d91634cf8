/// What is ink and what is paper in a picture of one character.
///
/// Paper is even in scans and drawings; in photographs it has shadows. There the paper's brightness at
/// a point is the median of its surroundings: strokes of a pen are in the minority, and the median
/// follows the edges of shadows.
struct PaperAndInk {
  /// The character's ink, as large as the picture; 0 for paper and for what is not the character.
  let ink: Plane
  /// The mean difference between the character and the paper, as a fraction of white.
  let strength: Float
  /// Whether there is a second character.
  let isSeveral: Bool

  /// The height and width up to which pieces of ink are looked for in all details.
  private static let searched = 600
  /// Below this height or width all ink is the character's: no camera takes such small pictures, and a
  /// broken stroke cannot be distinguished from a speck.
  private static let leastPhotograph = 48

  /// - Returns: `nil` if all pixels have nearly the same color.
  init?(_ picture: Plane) {
    let factor = max(1, (max(picture.width, picture.height) + Self.searched - 1) / Self.searched)
    let small = picture.averaged(by: factor, isPadded: false)
    let even = Search(small, .even(picture.paper))
    var found = even
    let mayBePhotograph = min(picture.width, picture.height) >= Self.leastPhotograph
    if mayBePhotograph, even?.isDoubtful(in: small) == true {
      found = Search(small, .uneven(Surroundings(small))) ?? even
    }
    guard let found else { return nil }
    strength = found.character.strength
    isSeveral = mayBePhotograph && found.character.isSeveral
    var ink = found.paper.ink(of: picture, isDark: found.isDark, scale: factor)
    guard mayBePhotograph else {
      self.ink = ink
      return
    }
    let mask = found.character.mask
    var rest = ink
    for y in 0..<ink.height {
      for x in 0..<ink.width {
        let index = y * ink.width + x
        if mask[y / factor * small.width + x / factor] {
          rest.values[index] = 0
        } else {
          ink.values[index] = 0
        }
      }
    }
    // Without specks or shadows the soft edges are left as they are.
    if rest.values.max() ?? 0 < (ink.values.max() ?? 0) / 10 {
      for index in ink.values.indices { ink.values[index] += rest.values[index] }
    }
    self.ink = ink
  }
}

/// The brightness of paper.
private enum Paper {
  case even(Float)
  case uneven(Surroundings)

  /// The difference between a picture and the paper; 0 for what is not ink.
  ///
  /// - Parameters:
  ///   - picture: The picture.
  ///   - isDark: Whether ink is darker than paper.
  ///   - scale: How many times the picture is larger than the one that the paper was found in.
  func ink(of picture: Plane, isDark: Bool, scale: Int = 1) -> Plane {
    var ink = picture
    switch self {
    case .even(let paper):
      ink.values = picture.values.map { max(0, isDark ? paper - $0 : $0 - paper) }
    case .uneven(let paper):
      for y in 0..<picture.height {
        for x in 0..<picture.width {
          let level = paper.value(
            x: (Float(x) + 0.5) / Float(scale), y: (Float(y) + 0.5) / Float(scale), isDark: isDark)
          let value = picture[x, y]
          // A shadow makes paper and ink darker by the same factor.
          ink.values[y * picture.width + x] =
            max(0, isDark ? level - value : value - level) / max(level, 0.1)
        }
      }
    }
    return ink
  }
}

/// A character, and the paper that it was found on.
private struct Search {
  let paper: Paper
  let isDark: Bool
  let character: CharacterInk
  /// The mass of ink of the other kind, light or dark.
  private let otherMass: Float

  init?(_ picture: Plane, _ paper: Paper) {
    self.paper = paper
    let noise = picture.noise
    let (dark, light) = (
      CharacterInk(paper.ink(of: picture, isDark: true), noise: noise),
      CharacterInk(paper.ink(of: picture, isDark: false), noise: noise)
    )
    isDark = dark?.mass ?? 0 >= light?.mass ?? 0
    guard let character = isDark ? dark : light else { return nil }
    self.character = character
    otherMass = (isDark ? light : dark)?.mass ?? 0
  }

  /// Whether the paper seems not to be even.
  func isDoubtful(in picture: Plane) -> Bool {
    let edges = picture.averaged(
      by: max(1, max(picture.width, picture.height) / 60), isPadded: false
    ).edges.sorted()
    let spread = edges[edges.count * 19 / 20] - edges[edges.count / 20]
    let covered = character.kept.reduce(0) { $0 + character.pieces.pieces[$1].count }
    return spread > max(0.04, 0.15 * character.strength) || otherMass > 0.3 * character.mass
      || 2 * covered > picture.values.count
  }
}

/// The medians of a picture's surroundings.
private struct Surroundings {
  /// The smallest and the largest of the medians nearby: at the edge of a shadow, all values between
  /// them are paper.
  private let (darkest, lightest): (Plane, Plane)
  private let factor: Float

  /// The height and width up to which medians are taken of all pixels.
  private static let most = 150

  init(_ picture: Plane) {
    let factor = max(1, (max(picture.width, picture.height) + Self.most - 1) / Self.most)
    let small = picture.averaged(by: factor, isPadded: false)
    let levels = small.values.map { UInt8(min(max($0, 0), 1) * 255) }
    let reach = max(4, min(small.width, small.height) / 5)
    var medians = small
    for y in 0..<small.height {
      for x in 0..<small.width {
        // As far to one side as to the other: otherwise slopes would end at the edges.
        let across = max(min(reach, x, small.width - 1 - x), reach / 3)
        let down = max(min(reach, y, small.height - 1 - y), reach / 3)
        var counts = [Int](repeating: 0, count: 256)
        var total = 0
        for row in stride(from: max(0, y - down), through: min(small.height - 1, y + down), by: 2) {
          for column in stride(
            from: max(0, x - across), through: min(small.width - 1, x + across), by: 2)
          {
            counts[Int(levels[row * small.width + column])] += 1
            total += 1
          }
        }
        var (level, below) = (0, counts[0])
        while 2 * below < total {
          level += 1
          below += counts[level]
        }
        medians.values[y * small.width + x] = (Float(level) + 0.5) / 255
      }
    }
    darkest = medians.nearby(min)
    lightest = medians.nearby(max)
    self.factor = Float(factor)
  }

  /// The paper at a position in the picture, counted from its upper left corner.
  ///
  /// - Parameter isDark: Whether darker pixels are ink, otherwise lighter ones.
  func value(x: Float, y: Float, isDark: Bool) -> Float {
    (isDark ? darkest : lightest).interpolated(x: x / factor - 0.5, y: y / factor - 0.5)
  }
}

extension Plane {
  /// The smallest or largest element within a distance of two.
  fileprivate func nearby(_ choice: (Float, Float) -> Float) -> Plane {
    var (across, result) = (self, self)
    for y in 0..<height {
      for x in 0..<width {
        for column in max(0, x - 2)...min(width - 1, x + 2) {
          across.values[y * width + x] = choice(across[x, y], self[column, y])
        }
      }
    }
    result = across
    for y in 0..<height {
      for x in 0..<width {
        for row in max(0, y - 2)...min(height - 1, y + 2) {
          result.values[y * width + x] = choice(result[x, y], across[x, row])
        }
      }
    }
    return result
  }

  /// The median of the values near the edges. A frame of a few pixels is no paper.
  fileprivate var paper: Float {
    let depth = max(1, min(width, height) / 20)
    var values: [Float] = []
    for y in 0..<height {
      let isNear = y < depth || y >= height - depth
      for x in 0..<width where isNear || x < depth || x >= width - depth {
        values.append(self[x, y])
      }
    }
    values.sort()
    return values[values.count / 2]
  }

  /// The standard deviation of the noise, from the differences of neighbors.
  fileprivate var noise: Float {
    var differences: [Float] = []
    for y in 0..<height {
      for x in stride(from: 1, to: width, by: 2) {
        differences.append(abs(self[x, y] - self[x - 1, y]))
      }
    }
    guard !differences.isEmpty else { return 0 }
    differences.sort()
    // The median of the difference of two normal variables is 0.954 standard deviations.
    return differences[differences.count / 2] / 0.954
  }
}
