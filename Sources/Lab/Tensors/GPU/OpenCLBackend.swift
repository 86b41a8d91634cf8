import OpenCLKernels
import Synchronization

/// Computes on a device of an OpenCL driver, usually a GPU.
///
/// As on the processor, convolutions, normalization and pooling work on images with their channels
/// last, and elementwise operations take the order in which their input is in memory. No method waits
/// for the device, except those whose results are in the host's memory.
package final class OpenCLBackend: Backend {
  package let name: String
  package let queue: DeviceQueue
  /// How products are computed.
  package let precision: GPUPrecision
  /// Why this is not the precision that the device has by default.
  let precisionNote: String?
  let tileSources = TileSources()
  let packedWeights = PackedWeights()
  private let ones = Mutex<OpenCLMemory?>(nil)
  /// The labels that were last copied to the device; see ``labels(_:)``.
  private let lastLabels = Mutex<(values: [Int], buffer: DeviceBuffer)?>(nil)

  package init(
    _ device: OpenCLDevice, precision: GPUPrecision, note: String? = nil
  ) throws(GPUError) {
    precisionNote = note
    name = device.isGPU ? "gpu" : "opencl"
    queue = try DeviceQueue(device)
    self.precision = precision
  }

  // MARK: Memory

  package var one: Tensor {
    let memory = ones.withLock { memory in
      if let memory { return memory }
      let one = OpenCLMemory(count: 1, on: queue)
      fill(one.buffer(.rowMajor), with: 1, count: 1)
      memory = one
      return one
    }
    return Tensor(shape: [], memory, on: self)
  }

  package func memory(of elements: [Float], shape: [Int]) -> any DeviceMemory {
    let memory = OpenCLMemory(count: elements.count, on: queue)
    elements.withUnsafeBytes { queue.write($0, to: memory.buffer(.rowMajor)) }
    return memory
  }

  package func memory(repeating value: Float, shape: [Int]) -> any DeviceMemory {
    let memory = OpenCLMemory(count: shape.reduce(1, *), on: queue)
    fill(memory.buffer(.rowMajor), with: value, count: memory.count)
    return memory
  }

  package func copy(of memory: any DeviceMemory) -> any DeviceMemory {
    guard let memory = memory as? OpenCLMemory else {
      preconditionFailure("the memory of another device is given to a GPU")
    }
    let copy = OpenCLMemory(count: memory.count, order: memory.order, on: queue)
    queue.copy(
      memory.buffer(memory.order), to: copy.buffer(memory.order), bytes: 4 * memory.count)
    return copy
  }

  package func elements(of memory: any DeviceMemory) -> [Float] {
    guard let memory = memory as? OpenCLMemory else {
      preconditionFailure("the memory of another device is given to a GPU")
    }
    return queue.read(memory.buffer(.rowMajor), count: memory.count)
  }

  package func firstElements(of memories: [any DeviceMemory]) -> [Float] {
    let buffers = memories.map { memory in
      guard let memory = memory as? OpenCLMemory else {
        preconditionFailure("the memory of another device is given to a GPU")
      }
      return memory.buffer(.rowMajor)
    }
    let all = scratch(buffers.count)
    // A kernel takes sixteen buffers; those that are left over it does not read.
    for start in stride(from: 0, to: buffers.count, by: 16) {
      let part = Array(buffers[start..<min(start + 16, buffers.count)])
      let padding = Array(repeating: part[0], count: 16 - part.count)
      queue.run(
        "collect", in: .elementwise, groups: (1, 1, 1), threads: (1, 1, 1),
        part + padding + [all, Int32(start), Int32(part.count)])
    }
    return queue.read(all, count: buffers.count)
  }

  package func keep(_ bytes: RawSpan, values: [Float]) -> (any DeviceBytes)? {
    let device = queue.device
    // The rest is for the network.
    guard bytes.byteCount <= min(device.largestBuffer, device.memory / 2) else { return nil }
    return OpenCLBytes(bytes, values: values, on: self)
  }

  // MARK: What the other files use

  /// A tensor whose elements a kernel will write.
  func uninitialized(_ shape: [Int], order: ElementOrder = .rowMajor) -> Tensor {
    Tensor(
      shape: shape, OpenCLMemory(count: shape.reduce(1, *), order: order, on: queue), on: self)
  }

  /// Images with their channels last whose elements a kernel will write.
  func uninitializedImages(_ shape: [Int]) -> Tensor {
    uninitialized(shape, order: .channels(shape[0], shape[1], shape[2] * shape[3]))
  }

  /// The elements in row-major order.
  func rows(_ x: Tensor) -> DeviceBuffer { x.gpu.buffer(.rowMajor) }

  /// The elements of images with their channels last.
  func pixels(_ x: Tensor) -> DeviceBuffer { x.gpu.buffer(x.channelsLast) }

  /// Memory for `count` floats, or for as many 32-bit integers.
  func scratch(_ count: Int) -> DeviceBuffer { queue.buffer(bytes: 4 * count) }

  /// Integers, such as labels, in the device's memory.
  func integers(_ values: [Int]) -> DeviceBuffer {
    let buffer = scratch(values.count)
    values.map { Int32(truncatingIfNeeded: $0) }.withUnsafeBytes { queue.write($0, to: buffer) }
    return buffer
  }

  /// Labels in the device's memory. A step asks for the same ones several times: they are copied once.
  func labels(_ values: [Int]) -> DeviceBuffer {
    lastLabels.withLock { last in
      if let last, last.values == values { return last.buffer }
      let buffer = integers(values)
      last = (values, buffer)
      return buffer
    }
  }

  /// Remembers labels that are in the device's memory already; see ``labels(_:)``.
  func keepLabels(_ values: [Int], in buffer: DeviceBuffer) {
    lastLabels.withLock { $0 = (values, buffer) }
  }

  /// Sets the first floats of a buffer.
  func fill(_ buffer: DeviceBuffer, with value: Float, count: Int) {
    queue.run("fill", in: .elementwise, count: count, buffer, value)
  }
}

/// How products of matrices and convolutions are computed on a GPU. All else is in 32-bit floats.
public enum GPUPrecision: String, Sendable, CaseIterable, CustomStringConvertible {
  /// 32-bit floats, on any device.
  case float32 = "32"
  /// Factors rounded to TensorFloat-32 (10 bits of mantissa), sums in 32-bit floats: NVIDIA's tensor
  /// cores, from the architecture 8.0 (Ampere) on. PyTorch computes convolutions so by default.
  case tf32
  /// Factors rounded to bfloat16 (7 bits of mantissa), sums in 32-bit floats, likewise.
  case bf16

  public var description: String { rawValue }
}
