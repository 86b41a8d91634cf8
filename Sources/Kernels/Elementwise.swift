import KernelInterface

/// Loops over single elements. Each result depends on its own element alone, so the work may be
/// cut anywhere.

/// Elements that are worth a thread of their own.
private let grain = 1 << 18

/// `y = max(x, 0)`; a NaN stays one, so that a loss that has become one is noticed.
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

/// `y = a + b`, rectified or not.
public func add(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, relu: Bool = false,
  y: UnsafeMutablePointer<Float>, count: Int
) {
  let loops = KernelSet.current.loops
  parallel(count: count, grain: grain) { range in
    let first = range.lowerBound
    loops.add(a + first, b + first, relu: relu, into: y + first, count: range.count)
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

/// ``dropout(x:y:count:_:)`` of channels-last images: the elements that are kept are
/// those of the same images in the order N C H W.
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
