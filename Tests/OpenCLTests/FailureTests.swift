import Lab
import LabTensors
import OpenCLKernels
import Testing

/// Each test has a backend of its own, since a device that has failed stays so.
@Suite(.needsOpenCL) struct FailureTests {
  private func ownDevice() throws -> (Device, OpenCLBackend) {
    let backend = try OpenCLBackend(OpenCLDevice.chosen(by: "cpu"), precision: .float32)
    return (Device(backend), backend)
  }

  @Test func tooLittleMemoryIsAnErrorOfOneLine() throws {
    let (device, backend) = try ownDevice()
    let largest = backend.queue.device.largestBuffer
    _ = backend.queue.buffer(bytes: largest + 1)
    let error = #expect(throws: GPUError.self) { try device.check() }
    let text = try #require(error).description
    #expect(text.contains("no room for") && text.contains("--batch_size") && !text.contains("\n"))
    // What follows is left out, and reads NaN.
    #expect(Tensor([1, 2]).to(device).elements.allSatisfy { $0.isNaN })
  }

  @Test func tensorsOfMoreElementsThanKernelsCountAreRefused() throws {
    let (device, _) = try ownDevice()
    _ = Tensor(repeating: 0, shape: [1 << 16, 1 << 16], on: device)
    #expect(throws: GPUError.self) { try device.check() }
  }

  @Test func aKernelThatDoesNotCompileIsAnErrorOfOneLine() throws {
    let (device, backend) = try ownDevice()
    backend.queue.prepare(KernelSource(.elementwise, macros: ["kernel=]"]))
    let error = #expect(throws: GPUError.self) { try device.check() }
    let text = try #require(error).description
    #expect(text.contains("does not compile") && !text.contains("\n"))
  }

  @Test func unknownDevicesAreRefused() throws {
    let error = #expect(throws: GPUError.self) { try OpenCLDevice.chosen(by: "no such device") }
    #expect(try #require(error).description.hasPrefix("LAB_OPENCL_DEVICE: expected the number"))
    #expect(throws: GPUError.self) { try OpenCLDevice.chosen(by: "12345") }
  }

  /// Also where a driver for the processor is listed first.
  @Test func aGPUIsNeverAProcessor() throws {
    for choice in ["gpu", nil, ""] {
      let device = try? OpenCLDevice.chosen(by: choice)
      #expect(device?.isGPU != false)
    }
  }
}
