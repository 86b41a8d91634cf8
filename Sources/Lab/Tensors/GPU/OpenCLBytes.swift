import OpenCLKernels

/// The bytes of a data set in a device's memory.
final class OpenCLBytes: DeviceBytes {
  fileprivate let bytes, values: DeviceBuffer
  // Not strong references in a circle: the backend does not know of these bytes.
  fileprivate let backend: OpenCLBackend

  init(_ bytes: RawSpan, values: [Float], on backend: OpenCLBackend) {
    self.backend = backend
    self.bytes = backend.queue.buffer(bytes: bytes.byteCount)
    self.values = backend.scratch(values.count)
    bytes.withUnsafeBytes { backend.queue.write($0, to: self.bytes) }
    values.withUnsafeBytes { backend.queue.write($0, to: self.values) }
  }

  func epoch(_ indices: [Int], labels: [Int]) -> any DeviceEpoch {
    OpenCLEpoch(self, backend.integers(indices), labels.isEmpty ? nil : backend.integers(labels))
  }
}

/// The indices and labels of an epoch in a device's memory.
private final class OpenCLEpoch: DeviceEpoch {
  private let data: OpenCLBytes
  private let indices: DeviceBuffer
  private let labels: DeviceBuffer?

  init(_ data: OpenCLBytes, _ indices: DeviceBuffer, _ labels: DeviceBuffer?) {
    (self.data, self.indices, self.labels) = (data, indices, labels)
  }

  func gather(_ range: Range<Int>, shape: [Int], labels batchLabels: [Int]) -> Tensor {
    let backend = data.backend
    let x = backend.uninitialized(shape)
    let size = range.isEmpty ? 0 : x.count / range.count
    let copied = labels.map { _ in backend.scratch(range.count) }
    backend.queue.run(
      "gather_bytes", in: .elementwise, count: x.count, data.bytes, data.values, indices,
      labels ?? indices, Int32(range.lowerBound), backend.rows(x), copied ?? indices,
      Int32(copied == nil ? 0 : range.count), Int32(size))
    if let copied { backend.keepLabels(batchLabels, in: copied) }
    return x
  }
}
