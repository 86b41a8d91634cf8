import COpenCL
import Foundation

/// A device that an OpenCL driver offers, and what is known of it.
package struct OpenCLDevice: @unchecked Sendable {
  // Sendable because the driver's handles are only passed on.
  let id: cl_device_id
  /// The device's name, such as `NVIDIA H100 80GB HBM3`.
  package let name: String
  /// The version of OpenCL, such as `OpenCL 3.0`.
  package let version: String
  package let driver: String
  package let platform: String
  /// The memory in bytes, and the largest piece of it that can be had at once.
  package let memory, largestBuffer: Int
  package let computeUnits, largestGroup: Int
  package let isGPU: Bool
  /// NVIDIA's version of the architecture, such as 90 for the H100; nil for other makes.
  package let computeCapability: Int?
  /// Whether division and square root can be rounded correctly.
  let roundsCorrectly: Bool

  init(_ id: cl_device_id, platform: cl_platform_id, _ library: OpenCLLibrary) {
    func number<Number: FixedWidthInteger>(_ key: Int32, _ type: Number.Type) -> Number {
      var value: Number = 0
      _ = library.getDeviceInfo(id, cl_device_info(key), MemoryLayout<Number>.size, &value, nil)
      return value
    }
    func text(_ key: Int32) -> String {
      string { library.getDeviceInfo(id, cl_device_info(key), $0, $1, $2) }
    }
    self.id = id
    name = text(CL_DEVICE_NAME)
    // "OpenCL 3.0 CUDA": the version and what the vendor adds.
    version = text(CL_DEVICE_VERSION).split(separator: " ").prefix(2).joined(separator: " ")
    driver = text(CL_DRIVER_VERSION)
    self.platform = string {
      library.getPlatformInfo(platform, cl_platform_info(CL_PLATFORM_NAME), $0, $1, $2)
    }
    memory = Int(clamping: number(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong.self))
    largestBuffer = Int(clamping: number(CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong.self))
    computeUnits = Int(number(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint.self))
    largestGroup = Int(number(CL_DEVICE_MAX_WORK_GROUP_SIZE, UInt.self))
    isGPU = number(CL_DEVICE_TYPE, cl_device_type.self) & cl_device_type(CL_DEVICE_TYPE_GPU) != 0
    let isNVIDIA = text(CL_DEVICE_EXTENSIONS).contains("cl_nv_device_attribute_query")
    computeCapability =
      isNVIDIA
      ? Int(number(0x4000, cl_uint.self)) * 10 + Int(number(0x4001, cl_uint.self)) : nil
    let rounding = number(CL_DEVICE_SINGLE_FP_CONFIG, cl_device_fp_config.self)
    roundsCorrectly =
      rounding & cl_device_fp_config(CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0
  }

  /// All devices of all drivers.
  package static func all() throws(GPUError) -> [OpenCLDevice] {
    let library = try OpenCLLibrary.shared.get()
    var count: cl_uint = 0
    // Without any driver the loader reports an error of its own.
    guard library.getPlatforms(0, nil, &count) == CL_SUCCESS else { return [] }
    var platforms = [cl_platform_id?](repeating: nil, count: Int(count))
    guard library.getPlatforms(count, &platforms, nil) == CL_SUCCESS else { return [] }
    return platforms.compactMap { $0 }.flatMap { platform in
      let all = cl_device_type(CL_DEVICE_TYPE_ALL)
      var count: cl_uint = 0
      guard library.getDevices(platform, all, 0, nil, &count) == CL_SUCCESS else {
        return [OpenCLDevice]()
      }
      var ids = [cl_device_id?](repeating: nil, count: Int(count))
      guard library.getDevices(platform, all, count, &ids, nil) == CL_SUCCESS else { return [] }
      return ids.compactMap { $0 }.map { OpenCLDevice($0, platform: platform, library) }
    }
  }

  /// The variable that names a device.
  package static let variable = "LAB_OPENCL_DEVICE"

  /// The device to compute on.
  ///
  /// - Parameters:
  ///   - choice: A number in the list of all devices, a part of a name, or `cpu` for a driver that
  ///     computes on the processor; `gpu` or nil for a GPU.
  ///   - number: Which of the GPUs, the one with the most compute units first.
  /// - Throws: ``GPUError`` if there is no such device.
  package static func chosen(
    by choice: String?, number: Int = 0
  ) throws(GPUError) -> OpenCLDevice {
    let devices = try all()
    let list = devices.enumerated().map { "\($0): \($1.name)" }.joined(separator: ", ")
    guard let choice, !choice.isEmpty, choice != "gpu" else {
      // Among equals the first one, so that the order is always the same.
      let gpus = devices.enumerated().filter(\.element.isGPU)
        .sorted { ($1.element.computeUnits, $0.offset) < ($0.element.computeUnits, $1.offset) }
        .map(\.element)
      if !gpus.isEmpty { return gpus[number % gpus.count] }
      throw GPUError(
        devices.isEmpty
          ? "no GPU can be used: no OpenCL driver was found; install the driver of the GPU's make, "
            + "in a container with its OpenCL part"
          : "no GPU can be used: the OpenCL drivers offer \(list); set \(variable) to compute there"
      )
    }
    if let number = Int(choice) {
      if devices.indices.contains(number) { return devices[number] }
    } else if choice == "cpu" {
      if let processor = devices.first(where: { !$0.isGPU }) { return processor }
    } else if let named = devices.first(where: {
      $0.name.range(of: choice, options: .caseInsensitive) != nil
    }) {
      return named
    }
    throw GPUError(
      "\(variable): expected the number or a part of the name of a device, gpu or cpu, got \(choice); "
        + (devices.isEmpty ? "no OpenCL driver was found" : "there are \(list)"))
  }
}

/// A text that OpenCL writes into memory of the caller.
func string(
  _ get: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
) -> String {
  var size = 0
  guard get(0, nil, &size) == CL_SUCCESS, size > 0 else { return "" }
  var bytes = [UInt8](repeating: 0, count: size)
  guard get(size, &bytes, nil) == CL_SUCCESS else { return "" }
  return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    .trimmingCharacters(in: .whitespacesAndNewlines)
}
