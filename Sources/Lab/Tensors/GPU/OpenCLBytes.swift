import OpenCLKernels

/// The bytes of a data set in a device's memory.
final class OpenCLBytes: DeviceBytes {
  private let bytes, values: DeviceBuffer
  // Not strong references in a circle: the backend does not know of these bytes.
  private let backend: OpenCLBackend

  init(_ bytes: RawSpan, values: [Float], on backend: OpenCLBackend) {
    self.backend = backend
    self.bytes = backend.queue.buffer(bytes: bytes.byteCount)
    self.values = backend.scratch(values.count)
    bytes.withUnsafeBytes { backend.queue.write($0, to: self.bytes) }
    values.withUnsafeBytes { backend.queue.write($0, to: self.values) }
  }

  func gather(_ indices: [Int], shape: [Int]) -> Tensor {
    let x = backend.uninitialized(shape)
    let size = indices.isEmpty ? 0 : x.count / indices.count
    backend.queue.run(
      "gather_bytes", in: .elementwise, count: x.count, bytes, values,
      backend.integers(indices), backend.rows(x), Int32(size))
    return x
  }
}
