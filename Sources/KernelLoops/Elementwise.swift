// Pointers: inner loops of `Kernels`, in a folder of their own to be built once for each set.

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
      Vector(at: dy + index, width).kept(where: Vector(at: y + index, width))
        .store(at: dx + index, width)
    }
  }

  public static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, relu: Bool,
    into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    forEachVector(count) { index, width in
      let sum = Vector(at: a + index, width) + Vector(at: b + index, width)
      (relu ? sum.rectified : sum).store(at: y + index, width)
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
    let whole = count / lanes * lanes
    for index in stride(from: 0, to: whole, by: lanes) {
      adamStep(
        value + index, gradient + index, moment1 + index, moment2 + index, Vector.scalarCount, rule)
    }
    if whole < count {
      adamStep(
        value + whole, gradient + whole, moment1 + whole, moment2 + whole, count - whole, rule)
    }
  }

  /// The step of one vector: a function, since a closure of this size would not be inlined twice.
  @inline(__always)
  private static func adamStep(
    _ value: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
    _ moment1: UnsafeMutablePointer<Float>, _ moment2: UnsafeMutablePointer<Float>, _ width: Int,
    _ rule: AdamRule
  ) {
    let start = Vector(at: value, width)
    var g = Vector(at: gradient, width)
    g.add(start, times: Vector(repeating: rule.decay))
    let before = Vector(at: moment1, width)
    let m = before + (g - before) * Vector(repeating: rule.decay1)
    let v =
      Vector(at: moment2, width) * Vector(repeating: rule.keep2)
      + g * g * Vector(repeating: rule.decay2)
    let root = v.squareRoot() / Vector(repeating: rule.correction)
    let change = m / (root + Vector(repeating: rule.epsilon)) * Vector(repeating: rule.stepSize)
    m.store(at: moment1, width)
    v.store(at: moment2, width)
    (start * Vector(repeating: rule.keep) - change).store(at: value, width)
  }
}
