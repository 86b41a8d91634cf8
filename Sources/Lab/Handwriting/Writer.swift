import LabRandom

/// The habits of one writer.
struct Writer {
  /// The slant to the right, as a shear.
  var slant: Float
  /// The tangent of half the angle by which the paper is rotated.
  var turn: Float
  /// The ratio of width to height, relative to the alphabet's.
  var breadth: Float
  /// The standard deviation of points from their positions, in squares of the alphabet's paper.
  var untidiness: Float
  /// The standard deviation of the pen from its path, in squares.
  var tremor: Float
  /// The number of times that neighbouring points of the path are averaged, which rounds corners.
  var haste: Int
  /// Half the pen's width in squares.
  var penRadius: Float
  /// Half the width of the edge between ink and paper, in pixels of the image.
  var softness: Float

  /// Draws the habits of a random writer.
  init(using random: inout RandomState) {
    slant = 0.16 + random.spread(0.27)
    turn = random.spread(0.04)
    breadth = max(0.6, 1 + random.spread(0.17))
    untidiness = max(0.12, 0.36 + random.spread(0.14))
    tremor = random.between(0.02, 0.15)
    haste = 1 + random.integer(below: 5)
    penRadius = max(0.3, 0.8 + random.spread(0.26))
    softness = random.between(0.9, 1.5)
  }

  /// Writes a character: each stroke is a sequence of points.
  func write(_ form: Form, using random: inout RandomState) -> [[SIMD2<Float>]] {
    let warp = Warp(of: form, by: self, using: &random)
    return form.strokes.map { stroke in
      let shift = random.stray(0.2)
      let points = stroke.enumerated().map { index, point in
        // Ends of strokes are less precise than other points.
        let isEnd = index == 0 || index == stroke.count - 1
        var point = point
        point.position += shift + random.stray(isEnd ? 1.5 * untidiness : untidiness)
        return point
      }
      let path = PenPath.points(along: points).map { $0 + random.stray(tremor) }
      return smoothed(path).map(warp.callAsFunction)
    }
  }

  private func smoothed(_ path: [SIMD2<Float>]) -> [SIMD2<Float>] {
    guard path.count > 2 else { return path }
    var path = path
    for _ in 0..<haste {
      var last = path[0]
      for index in 1..<path.count - 1 {
        let here = path[index]
        path[index] = (last + 2 * here + path[index + 1]) / 4
        last = here
      }
    }
    return path
  }
}

/// The distortion of the paper's squares by one writer: slant, rotation and breadth, and quadratic
/// terms that make, for example, the upper half of a letter wider than the lower half.
private struct Warp {
  private let center: SIMD2<Float>
  private let half: SIMD2<Float>
  private let across: SIMD2<Float>
  private let down: SIMD2<Float>
  private let mixed: SIMD2<Float>
  private let acrossSquared: SIMD2<Float>
  private let downSquared: SIMD2<Float>

  init(of form: Form, by writer: Writer, using random: inout RandomState) {
    let box = Box(around: form.strokes.joined().lazy.map(\.position))
    center = box.center
    half = pointwiseMax(box.size / 2, SIMD2(repeating: 2))
    // The half-angle form of a rotation needs no sine, which differs between machines.
    let turn = writer.turn + random.spread(0.025)
    let cosine = (1 - turn * turn) / (1 + turn * turn)
    let sine = 2 * turn / (1 + turn * turn)
    let slant = writer.slant + random.spread(0.06)
    across = SIMD2(cosine, sine) * (writer.breadth * (1 + random.spread(0.1)))
    down = SIMD2(-slant * cosine - sine, cosine - slant * sine)
    mixed = random.stray(0.35)
    acrossSquared = random.stray(0.35)
    downSquared = random.stray(0.35)
  }

  func callAsFunction(_ point: SIMD2<Float>) -> SIMD2<Float> {
    let offset = point - center
    let unit = offset / half
    return across * offset.x + down * offset.y + mixed * (unit.x * unit.y)
      + acrossSquared * (unit.x * unit.x) + downSquared * (unit.y * unit.y)
  }
}

extension RandomState {
  /// A number in `low..<high` with 24 random bits.
  mutating func between(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * Float(word() >> 8) / 16_777_216
  }

  /// A number with mean 0 and the given standard deviation, bell-shaped and at most three deviations
  /// from 0: the sum of three uniform numbers.
  mutating func spread(_ deviation: Float) -> Float {
    deviation * (between(-1, 1) + between(-1, 1) + between(-1, 1))
  }

  /// A vector with the given standard deviation along both axes.
  mutating func stray(_ deviation: Float) -> SIMD2<Float> {
    SIMD2(spread(deviation), spread(deviation))
  }
}
