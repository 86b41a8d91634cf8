/// The extents of some rows of a convolution's output (C channels in, K out, kernel R×S), whose
/// input has no borders any more: the zeros around it are in memory.
public struct DirectExtents: Sendable {
  public var c, k, r, s, stride: Int
  /// K rounded up to whole vectors.
  public var filters: Int
  /// The floats under a kernel, C R S, rounded up to whole vectors.
  public var patch: Int
  /// Rows of the output, and pixels of each.
  public var rows, columns: Int
  /// Floats from one row of the input to the next.
  public var inputRow: Int

  public init(_ e: ConvolutionExtents, rows: Int, columns: Int, inputRow: Int, lanes: Int) {
    (c, k, r, s, stride) = (e.c, e.k, e.r, e.s, e.stride)
    filters = (e.k + lanes - 1) / lanes * lanes
    patch = (e.c * e.r * e.s + lanes - 1) / lanes * lanes
    (self.rows, self.columns, self.inputRow) = (rows, columns, inputRow)
  }
}
