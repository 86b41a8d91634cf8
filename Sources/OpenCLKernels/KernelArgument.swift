import COpenCL

/// What can be passed to a kernel: a buffer or a number.
package protocol KernelArgument {
  /// Sets the argument of a kernel.
  func set(_ kernel: cl_kernel, _ index: cl_uint, _ library: OpenCLLibrary) -> cl_int
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
