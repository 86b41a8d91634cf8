import COpenCL
import Foundation

/// The functions of the OpenCL loader, which is opened when the program first asks for a GPU.
package struct OpenCLLibrary: Sendable {
  typealias GetPlatforms =
    @convention(c) (cl_uint, UnsafeMutablePointer<cl_platform_id?>?, UnsafeMutablePointer<cl_uint>?)
    -> cl_int
  typealias GetPlatformInfo =
    @convention(c) (
      cl_platform_id?, cl_platform_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
    ) -> cl_int
  typealias GetDevices =
    @convention(c) (
      cl_platform_id?, cl_device_type, cl_uint, UnsafeMutablePointer<cl_device_id?>?,
      UnsafeMutablePointer<cl_uint>?
    ) -> cl_int
  typealias GetDeviceInfo =
    @convention(c) (
      cl_device_id?, cl_device_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
    ) -> cl_int
  typealias CreateContext =
    @convention(c) (
      UnsafePointer<cl_context_properties>?, cl_uint, UnsafePointer<cl_device_id?>?,
      UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<cl_int>?
    ) -> cl_context?
  typealias CreateQueue =
    @convention(c) (
      cl_context?, cl_device_id?, cl_command_queue_properties, UnsafeMutablePointer<cl_int>?
    ) -> cl_command_queue?
  typealias CreateBuffer =
    @convention(c) (
      cl_context?, cl_mem_flags, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<cl_int>?
    ) -> cl_mem?
  typealias ReleaseMemory = @convention(c) (cl_mem?) -> cl_int
  typealias CreateProgram =
    @convention(c) (
      cl_context?, cl_uint, UnsafeMutablePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int>?,
      UnsafeMutablePointer<cl_int>?
    ) -> cl_program?
  typealias CreateProgramFromBinary =
    @convention(c) (
      cl_context?, cl_uint, UnsafePointer<cl_device_id?>?, UnsafePointer<Int>?,
      UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<cl_int>?,
      UnsafeMutablePointer<cl_int>?
    ) -> cl_program?
  typealias BuildProgram =
    @convention(c) (
      cl_program?, cl_uint, UnsafePointer<cl_device_id?>?, UnsafePointer<CChar>?,
      UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
    ) -> cl_int
  typealias GetProgramInfo =
    @convention(c) (
      cl_program?, cl_program_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
    ) -> cl_int
  typealias GetProgramBuildInfo =
    @convention(c) (
      cl_program?, cl_device_id?, cl_program_build_info, Int, UnsafeMutableRawPointer?,
      UnsafeMutablePointer<Int>?
    ) -> cl_int
  typealias ReleaseProgram = @convention(c) (cl_program?) -> cl_int
  typealias CreateKernel =
    @convention(c) (cl_program?, UnsafePointer<CChar>?, UnsafeMutablePointer<cl_int>?) -> cl_kernel?
  typealias SetKernelArgument =
    @convention(c) (cl_kernel?, cl_uint, Int, UnsafeRawPointer?) -> cl_int
  typealias EnqueueKernel =
    @convention(c) (
      cl_command_queue?, cl_kernel?, cl_uint, UnsafePointer<Int>?, UnsafePointer<Int>?,
      UnsafePointer<Int>?, cl_uint, UnsafePointer<cl_event?>?, UnsafeMutablePointer<cl_event?>?
    ) -> cl_int
  typealias EnqueueRead =
    @convention(c) (
      cl_command_queue?, cl_mem?, cl_bool, Int, Int, UnsafeMutableRawPointer?, cl_uint,
      UnsafePointer<cl_event?>?, UnsafeMutablePointer<cl_event?>?
    ) -> cl_int
  typealias EnqueueWrite =
    @convention(c) (
      cl_command_queue?, cl_mem?, cl_bool, Int, Int, UnsafeRawPointer?, cl_uint,
      UnsafePointer<cl_event?>?, UnsafeMutablePointer<cl_event?>?
    ) -> cl_int
  typealias EnqueueCopy =
    @convention(c) (
      cl_command_queue?, cl_mem?, cl_mem?, Int, Int, Int, cl_uint, UnsafePointer<cl_event?>?,
      UnsafeMutablePointer<cl_event?>?
    ) -> cl_int
  typealias GetEventProfilingInfo =
    @convention(c) (
      cl_event?, cl_profiling_info, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?
    ) -> cl_int
  typealias ReleaseEvent = @convention(c) (cl_event?) -> cl_int
  typealias EnqueueMap =
    @convention(c) (
      cl_command_queue?, cl_mem?, cl_bool, cl_map_flags, Int, Int, cl_uint,
      UnsafePointer<cl_event?>?, UnsafeMutablePointer<cl_event?>?, UnsafeMutablePointer<cl_int>?
    ) -> UnsafeMutableRawPointer?
  typealias OnQueue = @convention(c) (cl_command_queue?) -> cl_int

  let getPlatforms: GetPlatforms
  let getPlatformInfo: GetPlatformInfo
  let getDevices: GetDevices
  let getDeviceInfo: GetDeviceInfo
  let createContext: CreateContext
  let createQueue: CreateQueue
  let createBuffer: CreateBuffer
  let releaseMemory: ReleaseMemory
  let createProgram: CreateProgram
  let createProgramFromBinary: CreateProgramFromBinary
  let buildProgram: BuildProgram
  let getProgramInfo: GetProgramInfo
  let getProgramBuildInfo: GetProgramBuildInfo
  let releaseProgram: ReleaseProgram
  let createKernel: CreateKernel
  let setKernelArgument: SetKernelArgument
  let enqueueKernel: EnqueueKernel
  let enqueueRead: EnqueueRead
  let enqueueWrite: EnqueueWrite
  let enqueueCopy: EnqueueCopy
  let getEventProfilingInfo: GetEventProfilingInfo
  let releaseEvent: ReleaseEvent
  let enqueueMap: EnqueueMap
  let finish: OnQueue

  /// The loader, opened once.
  static let shared: Result<OpenCLLibrary, GPUError> = Result { () throws(GPUError) in
    try OpenCLLibrary()
  }

  private init() throws(GPUError) {
    exposeDriverWithoutRegistration()
    let handle = try open(Self.names)
    getPlatforms = try function("clGetPlatformIDs", in: handle)
    getPlatformInfo = try function("clGetPlatformInfo", in: handle)
    getDevices = try function("clGetDeviceIDs", in: handle)
    getDeviceInfo = try function("clGetDeviceInfo", in: handle)
    createContext = try function("clCreateContext", in: handle)
    createQueue = try function("clCreateCommandQueue", in: handle)
    createBuffer = try function("clCreateBuffer", in: handle)
    releaseMemory = try function("clReleaseMemObject", in: handle)
    createProgram = try function("clCreateProgramWithSource", in: handle)
    createProgramFromBinary = try function("clCreateProgramWithBinary", in: handle)
    buildProgram = try function("clBuildProgram", in: handle)
    getProgramInfo = try function("clGetProgramInfo", in: handle)
    getProgramBuildInfo = try function("clGetProgramBuildInfo", in: handle)
    releaseProgram = try function("clReleaseProgram", in: handle)
    createKernel = try function("clCreateKernel", in: handle)
    setKernelArgument = try function("clSetKernelArg", in: handle)
    enqueueKernel = try function("clEnqueueNDRangeKernel", in: handle)
    enqueueRead = try function("clEnqueueReadBuffer", in: handle)
    enqueueWrite = try function("clEnqueueWriteBuffer", in: handle)
    enqueueCopy = try function("clEnqueueCopyBuffer", in: handle)
    getEventProfilingInfo = try function("clGetEventProfilingInfo", in: handle)
    releaseEvent = try function("clReleaseEvent", in: handle)
    enqueueMap = try function("clEnqueueMapBuffer", in: handle)
    finish = try function("clFinish", in: handle)
  }

  /// File names of the loader; the first one that can be opened is used.
  private static var names: [String] {
    #if os(macOS)
      ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
    #else
      ["libOpenCL.so.1", "libOpenCL.so"]
    #endif
  }
}

private func open(_ names: [String]) throws(GPUError) -> UInt {
  for name in names {
    if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) { return UInt(bitPattern: handle) }
  }
  throw GPUError(
    "no GPU can be used: the OpenCL loader \(names[0]) is not installed; on Debian and Ubuntu: "
      + "apt-get install ocl-icd-libopencl1")
}

private func function<Function>(
  _ name: String, in handle: UInt
) throws(GPUError) -> Function {
  guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: handle), name) else {
    throw GPUError(
      "no GPU can be used: the OpenCL loader lacks \(name), which OpenCL 1.2 has; install a newer one"
    )
  }
  return unsafeBitCast(symbol, to: Function.self)
}

/// Tells the loader where NVIDIA's driver is if the driver is not registered in `/etc/OpenCL/vendors`,
/// as in many containers. Must be called before the loader's first function.
private func exposeDriverWithoutRegistration() {
  let driver = "libnvidia-opencl.so.1"
  guard getenv("OCL_ICD_FILENAMES") == nil, getenv("OCL_ICD_VENDORS") == nil else { return }
  let folder = "/etc/OpenCL/vendors"
  let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  let registered = files.contains { file in
    (try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8))?.contains("nvidia") == true
  }
  guard !registered, getenv(OpenCLDevice.variable).map({ String(cString: $0) }) != "cpu",
    let handle = dlopen(driver, RTLD_LAZY | RTLD_LOCAL)
  else { return }
  dlclose(handle)
  // The first is read by ocl-icd, which then looks at no other driver, the second by Khronos' loader.
  setenv("OCL_ICD_VENDORS", driver, 0)
  setenv("OCL_ICD_FILENAMES", driver, 0)
}
