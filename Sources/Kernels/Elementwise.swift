import Foundation
import KernelInterface

/// Elementwise functions of arrays of one shape. Each result depends on its own element alone, so the
/// work may be divided anywhere.

/// Elements that are worth a thread of their own.
private let grain = 1 << 18

/// `y = max(x, 0)`; NaN stays NaN, so that a loss that has become NaN is noticed.
public func relu(x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int) {
  let loops = KernelSet.current.loops
  parallel(count: count, grain: grain) { range in
    loops.relu(x + range.lowerBound, into: y + range.lowerBound, count: range.count)
  }
}

/// `dx = dy` where the result y of ``relu(x:y:count:)`` is positive, else 0.
public func reluGradient(
  dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, count: Int
) {
  let loops = KernelSet.current.loops
  parallel(count: count, grain: grain) { range in
    let first = range.lowerBound
    loops.reluGradient(dy + first, y: y + first, into: dx + first, count: range.count)
  }
}

/// `y = activation(a + b)`.
public func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, activation: Activation = .none,
  y: UnsafeMutablePointer<Float>, count: Int
) {
  let loops = KernelSet.current.loops
  parallel(count: count, grain: grain) { range in
    let first = range.lowerBound
    loops.add(a + first, b + first, activation: activation, into: y + first, count: range.count)
  }
}

/// `y = x` times the rule's scale where it keeps an element, else 0.
public func dropout(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int, _ rule: DropoutRule
) {
  let loops = KernelSet.current.loops
  parallel(count: count, grain: grain) { range in
    let first = range.lowerBound
    loops.dropout(x + first, into: y + first, count: range.count, rule, first: first, step: 1)
  }
}

/// ``dropout(x:y:count:_:)`` of channels-last images. It keeps the same elements as for the same
/// images in the order N C H W.
public func dropoutChannelsLast(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, n: Int, pixels: Int, channels: Int,
  _ rule: DropoutRule
) {
  let loops = KernelSet.current.loops
  parallel(count: n * pixels, grain: grain / max(1, channels)) { range in
    for row in range {
      let (image, pixel) = row.quotientAndRemainder(dividingBy: pixels)
      loops.dropout(
        x + row * channels, into: y + row * channels, count: channels, rule,
        first: image * channels * pixels + pixel, step: pixels)
    }
  }
}

/// A function of one number, element by element.
public enum UnaryOperation: Sendable, CaseIterable {
  case negate, absolute, exp, log, sqrt
  /// `1 / (1 + exp(-x))`
  case sigmoid
  case tanh
  /// `x Φ(x)`, with Φ the cumulative normal distribution.
  case gelu
  /// `x sigmoid(x)`
  case silu
  /// `max(x, 0)`; NaN stays NaN.
  case relu
}

/// `y = operation(x)`.
public func unary(
  _ operation: UnaryOperation, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int
) {
  switch operation {
  case .negate: map(count, cheap) { y[$0] = -x[$0] }
  case .absolute: map(count, cheap) { y[$0] = abs(x[$0]) }
  case .sqrt: map(count, cheap) { y[$0] = x[$0].squareRoot() }
  case .exp: map(count, costly) { y[$0] = exp(x[$0]) }
  case .log: map(count, costly) { y[$0] = log(x[$0]) }
  case .sigmoid: map(count, costly) { y[$0] = sigmoid(x[$0]) }
  case .tanh: map(count, costly) { y[$0] = tanh(x[$0]) }
  case .gelu: map(count, costly) { y[$0] = x[$0] * normalDistribution(x[$0]) }
  case .silu: map(count, costly) { y[$0] = x[$0] * sigmoid(x[$0]) }
  case .relu: relu(x: x, y: y, count: count)
  }
}

/// The gradient of ``unary(_:x:y:count:)``, from its argument x and its result y.
public func unaryGradient(
  _ operation: UnaryOperation, dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
  y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, count: Int
) {
  switch operation {
  case .negate: map(count, cheap) { dx[$0] = -dy[$0] }
  case .absolute:
    map(count, cheap) { dx[$0] = dy[$0] * (x[$0] > 0 ? 1 : (x[$0] < 0 ? -1 : x[$0] * 0)) }
  case .sqrt: map(count, cheap) { dx[$0] = dy[$0] / (2 * y[$0]) }
  case .exp: map(count, cheap) { dx[$0] = dy[$0] * y[$0] }
  case .log: map(count, cheap) { dx[$0] = dy[$0] / x[$0] }
  case .sigmoid: map(count, cheap) { dx[$0] = dy[$0] * y[$0] * (1 - y[$0]) }
  case .tanh: map(count, cheap) { dx[$0] = dy[$0] * (1 - y[$0] * y[$0]) }
  case .gelu:
    map(count, costly) { index in
      let value = x[index]
      let density = exp(-value * value / 2) * Float(1 / (2 * Double.pi).squareRoot())
      dx[index] = dy[index] * (normalDistribution(value) + value * density)
    }
  case .silu:
    map(count, costly) { index in
      let s = sigmoid(x[index])
      dx[index] = dy[index] * s * (1 + x[index] * (1 - s))
    }
  case .relu: reluGradient(dy: dy, y: y, dx: dx, count: count)
  }
}

/// Elements that are worth a thread: of functions that cost a few cycles, and some dozens.
private let (cheap, costly) = (1 << 17, 1 << 13)

@inline(__always)
private func map(_ count: Int, _ grain: Int, _ body: (_ index: Int) -> Void) {
  parallel(count: count, grain: grain) { range in
    for index in range { body(index) }
  }
}

@inline(__always)
private func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }

/// The cumulative normal distribution, exact by the error function.
@inline(__always)
private func normalDistribution(_ x: Float) -> Float {
  0.5 * (1 + erf(x * Float(0.5.squareRoot())))
}
