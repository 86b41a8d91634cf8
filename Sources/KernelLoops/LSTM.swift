// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// The gates of an LSTM at one step: computes gates, cells and outputs from the gates' sums, and their
/// gradients.

extension Loops {
  public static func lstmGates(_ s: LSTMStep, into y: UnsafeMutablePointer<Float>, stride: Int) {
    let whole = s.units / lanes * lanes
    for item in 0..<s.items {
      let y = y + item * stride
      for unit in Swift.stride(from: 0, to: whole, by: lanes) {
        gates(s, item * s.hidden + unit, s.gates + 4 * item * s.hidden + unit, y + unit, lanes)
      }
      if whole < s.units {
        gates(
          s, item * s.hidden + whole, s.gates + 4 * item * s.hidden + whole, y + whole,
          s.units - whole)
      }
    }
  }

  /// One vector of units of one item.
  @inline(__always)
  private static func gates(
    _ s: LSTMStep, _ cell: Int, _ gates: UnsafeMutablePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, _ width: Int
  ) {
    let input = Vector(at: gates, width).sigmoid
    let forget = Vector(at: gates + s.hidden, width).sigmoid
    let candidate = Vector(at: gates + 2 * s.hidden, width).hyperbolicTangent
    let output = Vector(at: gates + 3 * s.hidden, width).sigmoid
    var c = input * candidate
    if let before = s.cellBefore { c.add(forget, times: Vector(at: before + cell, width)) }
    input.store(at: gates, width)
    forget.store(at: gates + s.hidden, width)
    candidate.store(at: gates + 2 * s.hidden, width)
    output.store(at: gates + 3 * s.hidden, width)
    c.store(at: s.cell + cell, width)
    (output * c.hyperbolicTangent).store(at: y, width)
  }

  public static func lstmGatesGradient(
    _ s: LSTMStep, dy: UnsafePointer<Float>, stride: Int, recurrent: UnsafePointer<Float>?,
    dCell: UnsafeMutablePointer<Float>
  ) {
    let whole = s.units / lanes * lanes
    for item in 0..<s.items {
      let dy = dy + item * stride
      for unit in Swift.stride(from: 0, to: whole, by: lanes) {
        gatesGradient(
          s, item * s.hidden + unit, s.gates + 4 * item * s.hidden + unit, dy + unit, recurrent,
          dCell, lanes)
      }
      if whole < s.units {
        gatesGradient(
          s, item * s.hidden + whole, s.gates + 4 * item * s.hidden + whole, dy + whole, recurrent,
          dCell, s.units - whole)
      }
    }
  }

  @inline(__always)
  private static func gatesGradient(
    _ s: LSTMStep, _ cell: Int, _ gates: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>,
    _ recurrent: UnsafePointer<Float>?, _ dCell: UnsafeMutablePointer<Float>, _ width: Int
  ) {
    let one = Vector(repeating: 1)
    let input = Vector(at: gates, width)
    let forget = Vector(at: gates + s.hidden, width)
    let candidate = Vector(at: gates + 2 * s.hidden, width)
    let output = Vector(at: gates + 3 * s.hidden, width)
    let tangent = Vector(at: s.cell + cell, width).hyperbolicTangent
    var dh = Vector(at: dy, width)
    var dc = Vector.zero
    // At the last step nothing follows.
    if let recurrent {
      dh += Vector(at: recurrent + cell, width)
      dc = Vector(at: dCell + cell, width)
    }
    dc.add(dh * output, times: one - tangent * tangent)
    (dc * candidate * input * (one - input)).store(at: gates, width)
    var dForget = Vector.zero
    if let before = s.cellBefore {
      dForget = dc * Vector(at: before + cell, width) * forget * (one - forget)
    }
    dForget.store(at: gates + s.hidden, width)
    (dc * input * (one - candidate * candidate)).store(at: gates + 2 * s.hidden, width)
    (dh * tangent * output * (one - output)).store(at: gates + 3 * s.hidden, width)
    (dc * forget).store(at: dCell + cell, width)
  }
}
