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

extension Plane {
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
}
