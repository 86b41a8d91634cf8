import COpenCL

/// Several integers in one argument of a kernel: an `int8` or an `int16`. Extents and offsets are passed
/// so, which costs no copy to the device.
package struct KernelVector<Integers: SIMD & Sendable>: KernelArgument
where Integers.Scalar == Int32 {
  private let integers: Integers

  /// - Parameters:
  ///   - values: No more integers than the vector has.
  ///   - filler: The others.
  package init(_ values: [Int], filler: Int = 0) {
    var integers = Integers(repeating: Int32(truncatingIfNeeded: filler))
    for (index, value) in values.enumerated() {
      integers[index] = Int32(truncatingIfNeeded: value)
    }
    self.integers = integers
  }

  package func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int {
    withUnsafeBytes(of: integers) {
      library.setKernelArgument(kernel, index, $0.count, $0.baseAddress)
    }
  }
}
