/// Loops over single elements. Each result depends on its own element alone, so the work may be
/// cut anywhere.

/// Elements that are worth a thread of their own.
private let grain = 1 << 16

/// `y = max(x, 0)`; a NaN stays one, so that a loss that has become one is noticed.
public func relu(x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int) {
  parallel(count: count, grain: grain) { range in
    for index in range { y[index] = x[index] < 0 ? 0 : x[index] }
  }
}

/// `dx = dy` where the result y of ``relu(x:y:count:)`` is positive, else 0.
public func reluGradient(
  dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, count: Int
) {
  parallel(count: count, grain: grain) { range in
    for index in range { dx[index] = y[index] > 0 ? dy[index] : 0 }
  }
}

/// `y = a + b`.
public func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int
) {
  parallel(count: count, grain: grain) { range in
    for index in range { y[index] = a[index] + b[index] }
  }
}

/// `y = x` times the rule's scale where it keeps an element, else 0; elements in the rule's order.
public func dropout(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, count: Int, _ rule: DropoutRule
) {
  parallel(count: count, grain: grain) { range in
    for index in range { y[index] = rule.keeps(index) ? x[index] * rule.scale : 0 }
  }
}
