import KernelInterface

/// Loops over single elements.

/// Calls `body` with the first index of each vector and how many of its lanes there are; inlined
/// twice, so that whole vectors are not asked for their width.
@inline(__always)
private func forEachVector(_ count: Int, _ body: (_ index: Int, _ width: Int) -> Void) {
  let whole = count / lanes * lanes
  for index in stride(from: 0, to: whole, by: lanes) { body(index, Vector.scalarCount) }
  if whole < count { body(whole, count - whole) }
}

extension Loops {
  public static func relu(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    forEachVector(count) { index, width in
      Vector(at: x + index, width).rectified.store(at: y + index, width)
    }
  }

  public static func reluGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    forEachVector(count) { index, width in
      let isPositive = Vector(at: y + index, width) .> Vector.zero
      Vector.zero.replacing(with: Vector(at: dy + index, width), where: isPositive)
        .store(at: dx + index, width)
    }
  }

  public static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    forEachVector(count) { index, width in
      (Vector(at: a + index, width) + Vector(at: b + index, width)).store(at: y + index, width)
    }
  }

  public static func dropout(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
    _ rule: DropoutRule, first: Int, step: Int
  ) {
    forEachVector(count) { index, width in
      let isKept = rule.keeps(from: first + index * step, step: step)
      Vector.zero.replacing(with: Vector(at: x + index, width) * rule.scale, where: isKept)
        .store(at: y + index, width)
    }
  }

  public static func adamStep(
    value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    moment1: UnsafeMutablePointer<Float>, moment2: UnsafeMutablePointer<Float>, count: Int,
    _ rule: AdamRule
  ) {
    forEachVector(count) { index, width in
      let g = Vector(at: gradient + index, width)
      let before = Vector(at: moment1 + index, width)
      let m = before + (g - before) * rule.decay1
      let v = Vector(at: moment2 + index, width) * rule.keep2 + g * g * rule.decay2
      m.store(at: moment1 + index, width)
      v.store(at: moment2 + index, width)
      let denominator = v.squareRoot() / rule.correction + rule.epsilon
      (Vector(at: value + index, width) - rule.stepSize * (m / denominator))
        .store(at: value + index, width)
    }
  }
}
