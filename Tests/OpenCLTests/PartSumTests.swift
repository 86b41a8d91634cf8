import Lab
import LabTensors
import OpenCLKernels
import Testing

/// Sums that are computed several at once, before something uses one of them.
@Suite(.needsOpenCL) struct PartSumTests {
  /// A backend whose queue no other test uses.
  private func backend() throws -> OpenCLBackend {
    let shared = try #require(OpenCL.device?.backend as? OpenCLBackend)
    return try OpenCLBackend(shared.queue.device, precision: .float32)
  }

  private func buffer(_ numbers: [Float], on queue: DeviceQueue) -> DeviceBuffer {
    let buffer = queue.buffer(bytes: 4 * numbers.count)
    numbers.withUnsafeBytes { queue.write($0, to: buffer) }
    return buffer
  }

  /// A sum that is not begun yet, and its right value.
  private func sum(_ index: Int, on queue: DeviceQueue) -> (y: DeviceBuffer, expected: [Float]) {
    let (elements, count) = (index * 37 % 261, 1 + index * 5 % 40)
    let parts = (0..<elements * count).map { Float($0 * 7 % 23) - 11 + Float(index) }
    let y = buffer([Float](repeating: .nan, count: elements), on: queue)
    queue.addLater(PartSum(buffer(parts, on: queue), into: y, elements: elements, count: count))
    let expected = (0..<elements).map { i in
      (0..<count).reduce(0) { $0 + parts[$1 * elements + i] }
    }
    return (y, expected)
  }

  @Test(arguments: [1, 2, 7, 8, 9, 16, 17, 63, 64, 65, 130])
  func allAreComputedBeforeOneIsRead(count: Int) throws {
    let queue = try backend().queue
    // The first one has no elements.
    let sums = (0...count).map { sum($0, on: queue) }
    #expect((1...64).contains(queue.pendingSums))
    for (y, expected) in sums.reversed() {
      #expect(queue.read(y, count: expected.count) == expected)
    }
    #expect(queue.failure == nil && queue.pendingSums == 0)
  }

  @Test func eachUseComputesThem() throws {
    let backend = try backend()
    let queue = backend.queue
    // A kernel that reads one.
    let (first, expected) = sum(7, on: queue)
    let copy = queue.buffer(bytes: first.size)
    queue.copy(first, to: copy, bytes: first.size)
    #expect(queue.read(copy, count: expected.count) == expected)
    // A kernel that writes one comes after it.
    let (second, _) = sum(7, on: queue)
    queue.run("fill", in: .elementwise, count: expected.count, second, Float(3))
    #expect(queue.read(second, count: 2) == [3, 3])
    // So does a copy from the host.
    let (third, _) = sum(7, on: queue)
    [5, 6].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in queue.write(bytes, to: third) }
    #expect(queue.read(third, count: 2, of: Int.self) == [5, 6])
  }

  /// Sums in one launch are computed side by side: a sum of sums needs a launch of its own.
  @Test func sumsOfSumsComeLater() throws {
    let queue = try backend().queue
    let (elements, count) = (5_000, 40)
    let ones = buffer([Float](repeating: 1, count: elements * count), on: queue)
    let (sums, total) = (
      buffer([Float](repeating: .nan, count: elements), on: queue), queue.buffer(bytes: 4)
    )
    queue.addLater(PartSum(ones, into: sums, elements: elements, count: count))
    queue.addLater(PartSum(sums, into: total, elements: 1, count: elements))
    // PoCL would compute them in their order all the same.
    #expect(queue.pendingSums == 1)
    #expect(queue.read(total, count: 1) == [Float(elements * count)])
  }

  @Test func memoryOfPartsIsKeptUntilThen() throws {
    let queue = try backend().queue
    let (y, expected) = sum(4, on: queue)
    // Would get the memory of the parts if it were free.
    for _ in 0..<20 {
      _ = buffer([Float](repeating: .nan, count: 1 + expected.count * 21), on: queue)
    }
    #expect(queue.read(y, count: expected.count) == expected)
  }

  /// Packed weights follow each change, whichever layer asks first.
  @Test func weightsArePackedAfterEachChange() throws {
    let device = try #require(OpenCL.device)
    let x = numbers([2, 16, 8, 8])
    func outputs(_ device: Device) throws -> [Tensor] {
      let layers = (0..<6).map { Parameter(numbers([16, 16, 3, 3], seed: 2 + $0)) }
      for layer in layers { layer.move(to: device) }
      let optimizer = SGD(layers, learningRate: 0.01)
      var outputs: [Tensor] = []
      for step in 0..<3 {
        let tape = Tape()
        var y = tape.input(x.to(device))
        for layer in step == 1 ? layers.reversed() : layers {
          y = try conv2d(y, weight: layer.on(tape), padding: 1) * 0.1
        }
        outputs.append(y.to(.cpu).detached)
        optimizer.clearGradients()
        try tape.backward(mean(y * y))
        optimizer.step()
      }
      return outputs
    }
    for (a, b) in zip(try outputs(device), try outputs(.cpu)) { expectClose(a, b, 1e-4, "output") }
  }
}
