// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Elementwise loops.

/// Calls `body` with the first index and the number of lanes of each vector. Inlined twice, so that
/// the width of whole vectors is a constant.
@inline(__always)
private func forEachVector(_ count: Int, _ body: (_ index: Int, _ width: Int) -> Void) {
  let whole = count / lanes * lanes
  for index in stride(from: 0, to: whole, by: lanes) { body(index, Vector.scalarCount) }
  if whole < count { body(whole, count - whole) }
}

/// The operands of a binary operation; a step of 0 repeats one of them.
private struct Operands {
  let a: UnsafePointer<Float>
  let aStep: Int
  let b: UnsafePointer<Float>
  let bStep: Int

  /// Calls `body` with each index and pair of elements. One loop for each of the usual steps, which
  /// the compiler can vectorize.
  @inline(__always)
  func forEach(_ count: Int, _ body: (_ index: Int, _ a: Float, _ b: Float) -> Void) {
    switch (aStep, bStep) {
    case (1, 1): for index in 0..<count { body(index, a[index], b[index]) }
    case (1, 0):
      let b = b[0]
      for index in 0..<count { body(index, a[index], b) }
    case (0, 1):
      let a = a[0]
      for index in 0..<count { body(index, a, b[index]) }
    default: for index in 0..<count { body(index, a[index * aStep], b[index * bStep]) }
    }
  }
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
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch activation {
    case .none:
      forEachVector(count) { index, width in
        (Vector(at: a + index, width) + Vector(at: b + index, width)).store(at: y + index, width)
      }
    case .relu:
      forEachVector(count) { index, width in
        (Vector(at: a + index, width) + Vector(at: b + index, width)).rectified
          .store(at: y + index, width)
      }
    }
  }

  public static func binary(
    _ operation: BinaryOperation, _ a: UnsafePointer<Float>, step aStep: Int,
    _ b: UnsafePointer<Float>, step bStep: Int, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    let operands = Operands(a: a, aStep: aStep, b: b, bStep: bStep)
    switch operation {
    case .add: operands.forEach(count) { y[$0] = $1 + $2 }
    case .subtract: operands.forEach(count) { y[$0] = $1 - $2 }
    case .multiply: operands.forEach(count) { y[$0] = $1 * $2 }
    case .divide: operands.forEach(count) { y[$0] = $1 / $2 }
    // A NaN in b makes both tests fail, so that b is the result.
    case .minimum: operands.forEach(count) { y[$0] = $1 < $2 || $1 != $1 ? $1 : $2 }
    case .maximum: operands.forEach(count) { y[$0] = $1 > $2 || $1 != $1 ? $1 : $2 }
    case .equal: operands.forEach(count) { y[$0] = $1 == $2 ? 1 : 0 }
    case .notEqual: operands.forEach(count) { y[$0] = $1 != $2 ? 1 : 0 }
    case .less: operands.forEach(count) { y[$0] = $1 < $2 ? 1 : 0 }
    case .lessOrEqual: operands.forEach(count) { y[$0] = $1 <= $2 ? 1 : 0 }
    case .greater: operands.forEach(count) { y[$0] = $1 > $2 ? 1 : 0 }
    case .greaterOrEqual: operands.forEach(count) { y[$0] = $1 >= $2 ? 1 : 0 }
    }
  }

  public static func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: UnsafePointer<Float>,
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into d: UnsafeMutablePointer<Float>, count: Int
  ) {
    let operands = Operands(a: a, aStep: aStep, b: b, bStep: bStep)
    switch (operation, operand) {
    case (.add, _), (.subtract, .left):
      for index in 0..<count { d[index] = dy[index] }
    case (.subtract, .right):
      for index in 0..<count { d[index] = -dy[index] }
    case (.multiply, .left): operands.forEach(count) { index, _, b in d[index] = dy[index] * b }
    case (.multiply, .right): operands.forEach(count) { index, a, _ in d[index] = dy[index] * a }
    case (.divide, .left): operands.forEach(count) { index, _, b in d[index] = dy[index] / b }
    case (.divide, .right): operands.forEach(count) { d[$0] = -dy[$0] * (($1 / $2) / $2) }
    // Equal operands share the gradient, as in PyTorch.
    case (.minimum, .left), (.maximum, .right):
      operands.forEach(count) { d[$0] = $1 == $2 ? dy[$0] / 2 : ($1 > $2 ? 0 : dy[$0]) }
    case (.maximum, .left), (.minimum, .right):
      operands.forEach(count) { d[$0] = $1 == $2 ? dy[$0] / 2 : ($1 < $2 ? 0 : dy[$0]) }
    default:
      // A comparison is constant almost everywhere.
      for index in 0..<count { d[index] = 0 }
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

  /// The step of one vector. A function: a closure of this size would not be inlined twice.
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

extension DropoutRule {
  /// ``keeps(_:)`` of a vector of elements whose indices are `step` apart.
  @inline(__always)
  func keeps(from first: Int, step: Int) -> SIMDMask<Words.MaskStorage> {
    var numbers = Words.zero
    for lane in 0..<lanes { numbers[lane] = UInt32(truncatingIfNeeded: lane) }
    let step = Words(repeating: UInt32(truncatingIfNeeded: step))
    var z =
      (numbers &* step &+ Words(repeating: UInt32(truncatingIfNeeded: first)))
      ^ Words(repeating: low)
    z = (z ^ (z &>> Words(repeating: 16))) &* Words(repeating: 0x7feb_352d)
    z = z &+ Words(repeating: high)
    z = (z ^ (z &>> Words(repeating: 15))) &* Words(repeating: 0x846c_a68b)
    z = z ^ (z &>> Words(repeating: 16))
    // Comparing with a vector, not with a number: the latter compares lane by lane.
    return z .>= Words(repeating: threshold)
  }
}
