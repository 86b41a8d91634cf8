/// The habits of one person's hand.
struct Writer {
  /// How far upright lines lean to the right, as a shear.
  var slant: Float
  /// The tangent of half the angle that the paper is turned by.
  var turn: Float
  /// Width over height, relative to the alphabet's.
  var breadth: Float
  /// How far points stray from their place, in squares of the alphabet's paper.
  var untidiness: Float
  /// How often neighbouring points of the pen's way are averaged, which rounds corners off.
  var haste: Int
  /// Half the pen's width in pixels.
  var penRadius: Float
  /// Half the width in pixels of the edge between ink and paper.
  var softness: Float

  /// Draws somebody's habits.
  init(using random: inout RandomState) {
    slant = 0.16 + random.spread(0.17)
    turn = random.spread(0.035)
    breadth = max(0.5, 0.9 + random.spread(0.16))
    untidiness = max(0.12, 0.32 + random.spread(0.12))
    haste = random.integer(below: 6)
    penRadius = max(0.65, 1.35 + random.spread(0.4))
    softness = random.between(0.7, 1.3)
  }

  /// The pen's ways over the paper for one character: each stroke as a chain of points.
  func write(_ form: Form, using random: inout RandomState) -> [[SIMD2<Float>]] {
    let warp = Warp(writer: self, using: &random)
    return form.strokes.map { stroke in
      let shift = SIMD2(random.spread(0.2), random.spread(0.2))
      let points = stroke.enumerated().map { index, point in
        // A pen comes down and leaves with less care than it turns.
        let isEnd = index == 0 || index == stroke.count - 1
        let stray = untidiness * (isEnd ? 1.5 : 1)
        var point = point
        point.position += shift + SIMD2(random.spread(stray), random.spread(stray))
        return point
      }
      return smoothed(PenPath.points(along: points)).map(warp.callAsFunction)
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

/// The bending of the paper's squares under one hand: slant, turn and breadth, and quadratic terms
/// that make, say, the upper half of a letter wider than the lower one.
private struct Warp {
  private var across: SIMD2<Float>
  private var down: SIMD2<Float>
  private var mixed: SIMD2<Float>
  private var acrossSquared: SIMD2<Float>
  private var downSquared: SIMD2<Float>

  init(writer: Writer, using random: inout RandomState) {
    // The half-angle form of a rotation needs no sine, so all machines draw the same.
    let turn = writer.turn + random.spread(0.025)
    let cosine = (1 - turn * turn) / (1 + turn * turn)
    let sine = 2 * turn / (1 + turn * turn)
    let slant = writer.slant + random.spread(0.05)
    let breadth = writer.breadth * (1 + random.spread(0.1))
    across = SIMD2(cosine, sine) * breadth
    down = SIMD2(-slant * cosine - sine, cosine - slant * sine)
    func bend() -> SIMD2<Float> { SIMD2(random.spread(0.07), random.spread(0.07)) }
    mixed = bend()
    acrossSquared = bend()
    downSquared = bend()
  }

  func callAsFunction(_ point: SIMD2<Float>) -> SIMD2<Float> {
    let x = point.x / 5 - 1
    let y = point.y / 5 - 1
    return across * x + down * y + mixed * (x * y) + acrossSquared * (x * x)
      + downSquared * (y * y)
  }
}

extension RandomState {
  /// A number in `low..<high` with 24 random bits.
  mutating func between(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * Float(word() >> 8) / 16_777_216
  }

  /// A number of mean 0 and the given standard deviation, bell-shaped and never beyond three
  /// deviations: the sum of three uniform numbers.
  mutating func spread(_ deviation: Float) -> Float {
    deviation * (between(-1, 1) + between(-1, 1) + between(-1, 1))
  }
}
