import COpenCL

/// What can be passed to a kernel: a buffer or a number.
package protocol KernelArgument {
  /// Sets the argument of a kernel.
  func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int
  /// Whether it is the result of a sum that has not been computed yet.
  var isPending: Bool { get }
}

extension KernelArgument {
  package var isPending: Bool { false }
}

extension DeviceBuffer: KernelArgument {
  package func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int {
    var memory = memory
    return library.setKernelArgument(kernel, index, MemoryLayout<cl_mem?>.size, &memory)
  }
}

extension Int32: KernelArgument {
  package func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int {
    var value = self
    return library.setKernelArgument(kernel, index, MemoryLayout<Int32>.size, &value)
  }
}

extension UInt32: KernelArgument {
  package func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int {
    var value = self
    return library.setKernelArgument(kernel, index, MemoryLayout<UInt32>.size, &value)
  }
}

extension Float: KernelArgument {
  package func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int {
    var value = self
    return library.setKernelArgument(kernel, index, MemoryLayout<Float>.size, &value)
  }
}
