import Foundation
import OpenCLKernels
import Synchronization

/// Why a GPU cannot be used, or no longer.
public typealias GPUError = OpenCLKernels.GPUError

extension Device {
  /// The GPU, with the precision that its products have by default.
  ///
  /// ```swift
  /// let gpu = try Device.gpu
  /// model.to(gpu)
  /// let logits = try model(batch.x.to(gpu))
  /// ```
  ///
  /// - Throws: ``GPUError`` if there is none that can be used.
  public static var gpu: Device {
    get throws(GPUError) { try gpu(precision: nil) }
  }

  /// The GPU with the most compute units, or the device that the environment variable
  /// `LAB_OPENCL_DEVICE` names: by its number, a part of its name, or `cpu` for an OpenCL driver that
  /// computes on the processor.
  ///
  /// - Parameter precision: How products are computed; nil for ``GPUPrecision/tf32`` where it is fast,
  ///   and 32-bit floats elsewhere.
  /// - Throws: ``GPUError`` if there is no such device, it does not have the precision, or it computes
  ///   wrong results: when a device is first used, some of them are compared with the processor's.
  public static func gpu(precision: GPUPrecision?) throws(GPUError) -> Device {
    try GPUs.shared.device(precision)
  }

  /// Which GPU ``gpu`` is, the one with the most compute units being 0: in several processes on one
  /// machine, each takes another one. Beyond the last one the count starts again.
  package static var preferredGPU: Int {
    get { preferred.load(ordering: .relaxed) }
    set { preferred.store(newValue, ordering: .relaxed) }
  }

  /// Whether this is a device of an OpenCL driver.
  public var isGPU: Bool { backend is OpenCLBackend }

  /// A GPU's name and its version of OpenCL, such as `NVIDIA H100 80GB HBM3, OpenCL 3.0`; nil for the
  /// processor.
  public var model: String? {
    (backend as? OpenCLBackend).map { "\($0.queue.device.name), \($0.queue.device.version)" }
  }

  /// A GPU's driver, memory and precision, such as `driver 580.95, 79.1 GiB, tf32 products`; nil for
  /// the processor.
  public var properties: String? {
    guard let backend = backend as? OpenCLBackend else { return nil }
    let device = backend.queue.device
    let memory = String(format: "%.1f", Double(device.memory) / Double(1 << 30))
    let products = backend.precision == .float32 ? "float32" : backend.precision.rawValue
    let reason = backend.precisionNote.map { " (\($0))" } ?? ""
    return "driver \(device.driver), \(memory) GiB, \(products) products\(reason)"
  }

  /// The bytes of memory of a GPU; nil for the processor.
  package var memory: Int? { (backend as? OpenCLBackend)?.queue.device.memory }

  /// Throws if the device has failed: memory ran out, a kernel did not compile, or it was lost. What
  /// was computed since then is NaN. Does not wait for the device.
  ///
  /// - Throws: ``GPUError`` that says why.
  public func check() throws(GPUError) {
    if let failure = (backend as? OpenCLBackend)?.queue.failure { throw failure }
  }
}

private let preferred = Atomic(0)

/// The GPUs in use, one for each precision.
private final class GPUs: Sendable {
  static let shared = GPUs()
  private let devices = Mutex<[GPUPrecision: Device]>([:])

  func device(_ precision: GPUPrecision?) throws(GPUError) -> Device {
    let choice = ProcessInfo.processInfo.environment[OpenCLDevice.variable]
    let chosen = try OpenCLDevice.chosen(by: choice, number: Device.preferredGPU)
    let hasTensorCores = (chosen.computeCapability ?? 0) >= 80
    guard precision ?? .float32 == .float32 || hasTensorCores || !chosen.isGPU else {
      throw GPUError(
        "--precision=\(precision?.rawValue ?? ""): expected an NVIDIA GPU of the architecture 8.0 or "
          + "later, got \(chosen.name); use --precision=32")
    }
    let preferred = precision ?? (hasTensorCores ? .tf32 : .float32)
    let result = devices.withLock { devices -> Result<Device, GPUError> in
      if let device = devices[preferred] { return .success(device) }
      return Result { () throws(GPUError) in
        Device(try OpenCLBackend.tested(chosen, preferred, isReplaceable: precision == nil))
      }.map { device in
        devices[preferred] = device
        return device
      }
    }
    return try result.get()
  }
}
