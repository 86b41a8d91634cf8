// Pointers: arguments that `Kernels` passes to its inner loops.

/// The constants of one Adam step:
/// `m += (g - m) decay1`, `v = v keep2 + g² decay2`,
/// `value = value keep - stepSize · m / (√v / correction + epsilon)`, after `g += value decay`.
public struct AdamRule: Sendable {
  public let stepSize, correction, decay1, decay2, keep2, epsilon, decay, keep: Float

  public init(
    stepSize: Float, correction: Float, decay1: Float, decay2: Float, keep2: Float,
    epsilon: Float, decay: Float, keep: Float
  ) {
    (self.decay, self.keep) = (decay, keep)
    (self.stepSize, self.correction) = (stepSize, correction)
    (self.decay1, self.decay2, self.keep2) = (decay1, decay2, keep2)
    self.epsilon = epsilon
  }
}

/// The constants of batch normalization for each channel: forward is `y = x · scale + shift`,
/// backward `dx = scale (dy - offset - slope (x - mean))`.
public struct NormalizationChannels {
  public let mean, scale, shift, offset, slope: UnsafeMutablePointer<Float>

  /// - Parameter memory: 5 · channels floats.
  public init(_ memory: UnsafeMutablePointer<Float>, channels: Int) {
    (mean, scale, shift) = (memory, memory + channels, memory + 2 * channels)
    (offset, slope) = (memory + 3 * channels, memory + 4 * channels)
  }
}

/// Some units of one step of an LSTM with H units, for N items. All pointers are at the first of the
/// units in the first row.
public struct LSTMStep {
  /// N × 4H: input, forget, cell and output gates.
  public let gates: UnsafeMutablePointer<Float>
  /// The cells of the step before, N × H; nil at the first step, where they are 0.
  public let cellBefore: UnsafePointer<Float>?
  /// N × H; may be those of the step before.
  public let cell: UnsafeMutablePointer<Float>
  /// N, H, and how many units are computed.
  public let items, hidden, units: Int

  public init(
    gates: UnsafeMutablePointer<Float>, cellBefore: UnsafePointer<Float>?,
    cell: UnsafeMutablePointer<Float>, items: Int, hidden: Int, units: Int
  ) {
    (self.gates, self.cellBefore, self.cell) = (gates, cellBefore, cell)
    (self.items, self.hidden, self.units) = (items, hidden, units)
  }
}

/// A matrix in memory, with the distances between rows and between columns; one of them is 1.
public struct StridedMatrix {
  public let pointer: UnsafePointer<Float>
  public let row, column: Int

  public init(_ pointer: UnsafePointer<Float>, row: Int, column: Int) {
    (self.pointer, self.row, self.column) = (pointer, row, column)
  }
}

/// A function of two numbers, element by element.
public enum BinaryOperation: Sendable, CaseIterable {
  case add, subtract, multiply, divide
  /// NaN if either operand is NaN, as in PyTorch.
  case minimum, maximum
  /// 1 if the comparison holds, else 0.
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// One of the two operands of a ``BinaryOperation``.
public enum Operand: Sendable {
  case left, right
}
