import Foundation
import Lab
import LabTensors
import OpenCLKernels
import TestSupport
import Testing

/// The self-test of devices, on a device that computes right.
@Suite(.needsOpenCL) struct SelfTestTests {
  private func openCLDevice() throws -> OpenCLDevice {
    try #require(OpenCL.device?.backend as? OpenCLBackend).queue.device
  }

  /// PoCL takes half a minute to compile the kernels of a precision.
  private static var precisions: [GPUPrecision] {
    let all = ProcessInfo.processInfo.environment["LAB_OPENCL_NETWORKS"] != nil
    return all ? GPUPrecision.allCases : [.float32, .tf32]
  }

  @Test(arguments: precisions)
  func aDeviceThatComputesRightPasses(precision: GPUPrecision) throws {
    let device = Device(try OpenCLBackend(openCLDevice(), precision: precision))
    #expect(
      try SelfTest.failure(of: device, tolerance: SelfTest.tolerance(precision)) == nil)
  }

  /// Each precision is noticed where another one is expected: the tolerances are narrow.
  @Test(arguments: precisions.dropFirst(), [GPUPrecision.float32, .tf32])
  func lessPrecisionIsNoticed(precision: GPUPrecision, expected: GPUPrecision) throws {
    guard precision != expected else { return }
    let device = Device(try OpenCLBackend(openCLDevice(), precision: precision))
    let failure = try SelfTest.failure(of: device, tolerance: SelfTest.tolerance(expected))
    let text = try #require(failure)
    let pattern = /convolution: results differ from the processor's by \d\.\de-0[2-4]/
    #expect(text.wholeMatch(of: pattern) != nil, "\(text)")
  }

  @Test func floatsAreUsedWhereTensorCoresFail() throws {
    let device = try openCLDevice()
    func test(_ backend: OpenCLBackend) -> String? {
      backend.precision == .tf32 ? "wrong" : nil
    }
    let backend = try OpenCLBackend.tested(device, .tf32, isReplaceable: true, failure: test)
    #expect(backend.precision == .float32)
    let properties = try #require(Device(backend).properties)
    #expect(properties.hasSuffix("float32 products (tf32 failed its self-test: wrong)"))
    let same = try OpenCLBackend.tested(device, .bf16, isReplaceable: true, failure: test)
    #expect(same.precision == .bf16 && Device(same).properties?.hasSuffix("products") == true)
  }

  @Test(arguments: [(GPUPrecision.tf32, false), (.float32, true), (.float32, false)])
  func wrongResultsAreAnError(precision: GPUPrecision, isReplaceable: Bool) throws {
    let device = try openCLDevice()
    let error = #expect(throws: GPUError.self) {
      try OpenCLBackend.tested(device, precision, isReplaceable: isReplaceable) { _ in "wrong" }
    }
    #expect(
      error?.description
        == "\(device.name), driver \(device.driver), computes wrong results with "
        + "--precision=\(precision) (wrong); install another driver, or use --gpus=0")
  }

  @Test func aPassedTestIsRemembered() throws {
    let folder = try TemporaryFolder()
    let device = try openCLDevice()
    let queue = try DeviceQueue(device, cacheFolder: folder.url)
    #expect(!queue.hasPassed("a"))
    queue.notePassed("a")
    #expect(queue.hasPassed("a") && !queue.hasPassed("b"))
    #expect(try DeviceQueue(device, cacheFolder: folder.url).hasPassed("a"))
    // A damaged record does not count.
    for name in try folder.names(in: "") {
      let file = folder.url.appending(path: name)
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: file)
    }
    #expect(!queue.hasPassed("a"))
  }
}
