// Operators and functions of each element. Shapes are broadcast as for `+`.

extension Tensor {
  /// The elementwise difference, with broadcasting as for `+`.
  ///
  /// ```swift
  /// try Tensor([1, 2]) - Tensor([3])  // tensor([-2., -1.])
  /// ```
  ///
  /// - Throws: ``ShapeError`` if extents differ and neither is 1.
  public static func - (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    let shape = try broadcastShape("-", a, b)
    return binary(.subtract, a, b, shape, on: try prepare("-", a, b))
  }

  /// The elementwise product, with broadcasting.
  ///
  /// - Throws: ``ShapeError`` if extents differ and neither is 1.
  public static func * (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    let shape = try broadcastShape("*", a, b)
    return binary(.multiply, a, b, shape, on: try prepare("*", a, b))
  }

  /// The elementwise quotient, with broadcasting.
  ///
  /// - Throws: ``ShapeError`` if extents differ and neither is 1.
  public static func / (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    let shape = try broadcastShape("/", a, b)
    return binary(.divide, a, b, shape, on: try prepare("/", a, b))
  }

  public static func + (a: Tensor, b: Float) -> Tensor { binary(.add, a, b) }
  public static func + (a: Float, b: Tensor) -> Tensor { binary(.add, a, b) }
  public static func - (a: Tensor, b: Float) -> Tensor { binary(.subtract, a, b) }
  public static func - (a: Float, b: Tensor) -> Tensor { binary(.subtract, a, b) }
  public static func * (a: Tensor, b: Float) -> Tensor { binary(.multiply, a, b) }
  public static func * (a: Float, b: Tensor) -> Tensor { binary(.multiply, a, b) }
  public static func / (a: Tensor, b: Float) -> Tensor { binary(.divide, a, b) }
  public static func / (a: Float, b: Tensor) -> Tensor { binary(.divide, a, b) }

  public static func -= (a: inout Tensor, b: Tensor) throws(ShapeError) { a = try a - b }
  public static func *= (a: inout Tensor, b: Tensor) throws(ShapeError) { a = try a * b }
  public static func /= (a: inout Tensor, b: Tensor) throws(ShapeError) { a = try a / b }
  public static func += (a: inout Tensor, b: Float) { a = a + b }
  public static func -= (a: inout Tensor, b: Float) { a = a - b }
  public static func *= (a: inout Tensor, b: Float) { a = a * b }
  public static func /= (a: inout Tensor, b: Float) { a = a / b }

  public static prefix func - (x: Tensor) -> Tensor { unary(.negate, x) }

  // MARK: Comparisons

  /// 1 where the comparison holds, else 0, with broadcasting. A comparison has no gradient.
  ///
  /// ```swift
  /// Tensor([1, 2, 3]) .> 2  // tensor([0., 0., 1.])
  /// ```
  ///
  /// - Throws: ``ShapeError`` if extents differ and neither is 1.
  public static func .> (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    try comparison(.greater, ".>", a, b)
  }
  public static func .>= (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    try comparison(.greaterOrEqual, ".>=", a, b)
  }
  public static func .< (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    try comparison(.less, ".<", a, b)
  }
  public static func .<= (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    try comparison(.lessOrEqual, ".<=", a, b)
  }
  public static func .== (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    try comparison(.equal, ".==", a, b)
  }
  public static func .!= (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    try comparison(.notEqual, ".!=", a, b)
  }
  public static func .> (a: Tensor, b: Float) -> Tensor { binary(.greater, a, b) }
  public static func .>= (a: Tensor, b: Float) -> Tensor { binary(.greaterOrEqual, a, b) }
  public static func .< (a: Tensor, b: Float) -> Tensor { binary(.less, a, b) }
  public static func .<= (a: Tensor, b: Float) -> Tensor { binary(.lessOrEqual, a, b) }
  public static func .== (a: Tensor, b: Float) -> Tensor { binary(.equal, a, b) }
  public static func .!= (a: Tensor, b: Float) -> Tensor { binary(.notEqual, a, b) }

  private static func comparison(
    _ operation: BinaryOperation, _ name: String, _ a: Tensor, _ b: Tensor
  ) throws(ShapeError) -> Tensor {
    let shape = try broadcastShape(name, a, b)
    return binary(operation, a, b, shape, on: try prepare(name, a, b))
  }

  /// This tensor's elements where the condition is not 0, else those of `other`, with broadcasting;
  /// PyTorch's `Tensor.where`.
  ///
  /// ```swift
  /// let x = Tensor([-1, 2])
  /// try x.where(x .> 0, x * 0.1)  // tensor([-0.1000,  2.0000])
  /// ```
  ///
  /// - Throws: ``ShapeError`` if the three shapes cannot be broadcast.
  public func `where`(_ condition: Tensor, _ other: Tensor) throws(ShapeError) -> Tensor {
    let backend = try prepare("where", condition, self, other)
    var shape = try broadcastShape("where", self.shape, other.shape)
    shape = try broadcastShape("where", condition.shape, shape)
    let condition = condition.detached
    let y = backend.select(condition, self, other, shape: shape)
    let targets = [(Operand.left, gradientTarget), (.right, other.gradientTarget)]
    return y.recorded(from: [self, other], as: "where") { dy in
      for (operand, target) in targets where target.needsGradient {
        target.receive(
          backend.selectGradient(of: operand, condition, dy: dy, shape: target.shape))
      }
    }
  }

  /// This tensor's elements where the condition is not 0, else a number.
  public func `where`(_ condition: Tensor, _ other: Float) throws(ShapeError) -> Tensor {
    try `where`(condition, scalar(other, like: self))
  }
}

/// The smaller of each pair of elements, with broadcasting. NaN if either is NaN; equal elements
/// share the gradient.
///
/// - Throws: ``ShapeError`` if extents differ and neither is 1.
public func minimum(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
  let shape = try broadcastShape("minimum", a, b)
  return binary(.minimum, a, b, shape, on: try prepare("minimum", a, b))
}

/// The larger of each pair of elements, with broadcasting. NaN if either is NaN; equal elements
/// share the gradient.
///
/// - Throws: ``ShapeError`` if extents differ and neither is 1.
public func maximum(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
  let shape = try broadcastShape("maximum", a, b)
  return binary(.maximum, a, b, shape, on: try prepare("maximum", a, b))
}

/// `exp(x)` of each element.
public func exp(_ x: Tensor) -> Tensor { unary(.exp, x) }

/// The natural logarithm of each element; -inf for 0, NaN for negative ones.
public func log(_ x: Tensor) -> Tensor { unary(.log, x) }

/// The square root of each element; NaN for negative ones.
public func sqrt(_ x: Tensor) -> Tensor { unary(.sqrt, x) }

/// The absolute value of each element. The gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor { unary(.absolute, x) }

/// The hyperbolic tangent of each element.
public func tanh(_ x: Tensor) -> Tensor { unary(.tanh, x) }

/// The logistic function `1 / (1 + exp(-x))` of each element.
///
/// ```swift
/// sigmoid(Tensor([0]))  // tensor([0.5000])
/// ```
public func sigmoid(_ x: Tensor) -> Tensor { unary(.sigmoid, x) }

/// The Gaussian error linear unit `x Φ(x)` of each element, with Φ the cumulative normal
/// distribution, computed exactly as by PyTorch's default.
///
/// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
public func gelu(_ x: Tensor) -> Tensor { unary(.gelu, x) }

/// The sigmoid linear unit `x sigmoid(x)` of each element.
public func silu(_ x: Tensor) -> Tensor { unary(.silu, x) }

// MARK: -

private func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
  x.materialize()
  let backend = x.storage.backend
  let y = backend.unary(operation, x)
  let (argument, target) = (x.detached, x.gradientTarget)
  return y.recorded(from: [x], as: "\(operation)") { dy in
    target.receive(backend.unaryGradient(operation, dy: dy, x: argument, y: y))
  }
}

private func binary(
  _ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, _ shape: [Int],
  on backend: any Backend
) -> Tensor {
  let y = backend.binary(operation, a, b, shape: shape)
  let targets = [(Operand.left, a.gradientTarget), (.right, b.gradientTarget)]
  switch operation {
  case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
    // On the tape, but without a gradient.
    _ = OperationObservation.observer?.called("\(operation)", [a, b], y, .computed)
    return (a.tape ?? b.tape)?.input(y) ?? y
  case .add, .subtract:
    // The operands need not be kept.
    return y.recorded(from: [a, b], as: "\(operation)") { dy in
      for (operand, target) in targets where target.needsGradient {
        let d = backend.sum(dy, to: target.shape)
        let isNegative = operation == .subtract && operand == .right
        target.receive(isNegative ? backend.unary(.negate, d) : d)
      }
    }
  default:
    let (left, right) = (a.detached, b.detached)
    return y.recorded(from: [a, b], as: "\(operation)") { dy in
      for (operand, target) in targets where target.needsGradient {
        target.receive(backend.binaryGradient(operation, of: operand, dy: dy, left, right))
      }
    }
  }
}

private func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Float) -> Tensor {
  binary(
    operation, a.materialize(), scalar(b, like: a), a.shape, on: a.storage.backend)
}

private func binary(_ operation: BinaryOperation, _ a: Float, _ b: Tensor) -> Tensor {
  binary(
    operation, scalar(a, like: b), b.materialize(), b.shape, on: b.storage.backend)
}

private func scalar(_ value: Float, like x: Tensor) -> Tensor {
  Tensor(repeating: value, shape: [], on: x.device)
}
