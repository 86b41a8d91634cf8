/// The inner loops of all kernels, which are built once for each set of vector instructions.
///
/// A loop runs on the thread that calls it, allocates nothing and knows no batch: `Kernels` divides
/// the work and hands over the memory. Only that module calls them, through this protocol, so that
/// no instruction of a set is reached before the processor is known to have it.
///
/// Every `scratch` holds ``scratchCount`` floats that mean nothing before and after.
public protocol VectorLoops: SendableMetatype {
  /// Floats in a vector: what the channels of transformed images are rounded up to.
  static var vectorLanes: Int { get }
  /// The most floats that a loop uses as its `scratch`.
  static var scratchCount: Int { get }

  /// Computes as fast as the processor can, from registers and the nearest cache: what a benchmark
  /// compares the other loops with. Returns how many multiplications and additions that were.
  static func multiplyAtPeak(scratch: UnsafeMutablePointer<Float>) -> Int

  /// `C = A B` or `C += A B`; C is m × n, A m × k, B k × n, C's rows are contiguous.
  static func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool, scratch: UnsafeMutablePointer<Float>)

  /// Writes the rows × columns matrix at `source` as a columns × rows matrix.
  static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int,
    scratch: UnsafeMutablePointer<Float>)
}

/// A matrix in memory, with the distance from one row and from one column to the next; one of the
/// two is 1.
public struct StridedMatrix {
  public let pointer: UnsafePointer<Float>
  public let row, column: Int

  public init(_ pointer: UnsafePointer<Float>, row: Int, column: Int) {
    (self.pointer, self.row, self.column) = (pointer, row, column)
  }
}
