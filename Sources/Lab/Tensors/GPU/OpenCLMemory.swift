import OpenCLKernels
import Synchronization

/// The elements of tensors in a device's memory, in row-major order or with the channels last, or in
/// both: if a kernel needs the other order a copy is made, which is kept.
final class OpenCLMemory: DeviceMemory {
  let count: Int
  private let queue: DeviceQueue
  private let copies: Mutex<[(order: ElementOrder, buffer: DeviceBuffer)]>
  /// What was made from the elements.
  private let derived = Mutex<[DerivedKey: DeviceBuffer]>([:])

  /// How many rows of these logits are correct, for the labels of the cross-entropy that counted them.
  private let counted = Mutex<(labels: DeviceBuffer, correct: OpenCLMemory)?>(nil)

  private struct DerivedKey: Hashable {
    enum Use: Hashable {
      case named(String)
      case packed(WeightPacking)
    }

    let use: Use
    /// The tensor's shape: other tensors may have the same elements in another shape.
    let shape: [Int]
  }

  /// Memory whose elements a kernel will write.
  init(count: Int, order: ElementOrder = .rowMajor, on queue: DeviceQueue) {
    self.count = count
    self.queue = queue
    if count > Int(Int32.max) {
      queue.fail(
        GPUError(
          "\(queue.device.name): a tensor has at most \(Int32.max) elements there, got \(count); a "
            + "smaller --batch_size makes smaller tensors"))
    }
    copies = Mutex([(order, queue.buffer(bytes: 4 * min(count, Int(Int32.max))))])
  }

  /// The order that kernels have written, or that they prefer.
  var order: ElementOrder {
    copies.withLock { $0[0].order }
  }

  /// The elements in an order, to be read.
  func buffer(_ order: ElementOrder) -> DeviceBuffer {
    copies.withLock { copies in buffer(in: order, of: &copies) }
  }

  /// From now on ``order`` is this one.
  func prefer(_ order: ElementOrder) {
    copies.withLock { copies in
      guard copies[0].order != order else { return }
      _ = buffer(in: order, of: &copies)
      if let index = copies.firstIndex(where: { $0.order == order }) { copies.swapAt(0, index) }
    }
  }

  /// The elements in an order, to be changed in place; there are no copies in other orders any more.
  func mutableBuffer(_ order: ElementOrder) -> DeviceBuffer {
    copies.withLock { copies in
      let buffer = buffer(in: order, of: &copies)
      copies = [(order, buffer)]
      derived.withLock { $0 = [:] }
      counted.withLock { $0 = nil }
      return buffer
    }
  }

  /// What `make` makes from the elements, such as weights in the order of an instruction's operands:
  /// the same from one call to the next while the elements do not change.
  ///
  /// - Parameters:
  ///   - use: What it is for.
  ///   - shape: The tensor's shape.
  ///   - make: Makes it.
  func derived(_ use: String, _ shape: [Int], _ make: () -> DeviceBuffer) -> DeviceBuffer {
    let key = DerivedKey(use: .named(use), shape: shape)
    if let buffer = derived.withLock({ $0[key] }) { return buffer }
    let buffer = make()
    derived.withLock { $0[key] = buffer }
    return buffer
  }

  /// The elements as they were packed, if they have not changed since.
  func packed(_ packing: WeightPacking, _ shape: [Int]) -> DeviceBuffer? {
    derived.withLock { $0[DerivedKey(use: .packed(packing), shape: shape)] }
  }

  /// Keeps the packed elements until they change.
  func keep(_ packed: DeviceBuffer, _ packing: WeightPacking, _ shape: [Int]) {
    derived.withLock { $0[DerivedKey(use: .packed(packing), shape: shape)] = packed }
  }

  /// Remembers how many rows are correct.
  func remember(_ correct: OpenCLMemory, of labels: DeviceBuffer) {
    counted.withLock { $0 = (labels, correct) }
  }

  /// How many rows are correct, if it was counted for these labels.
  func correct(of labels: DeviceBuffer) -> OpenCLMemory? {
    counted.withLock { counted in counted?.labels === labels ? counted?.correct : nil }
  }

  private func buffer(
    in order: ElementOrder, of copies: inout [(order: ElementOrder, buffer: DeviceBuffer)]
  ) -> DeviceBuffer {
    if let copy = copies.first(where: { $0.order == order }) { return copy.buffer }
    let buffer = queue.buffer(bytes: 4 * min(count, Int(Int32.max)))
    let source = KernelSource.elementwise
    switch order {
    case .channelsLast(_, let c, let pixels):
      let rows = self.buffer(in: .rowMajor, of: &copies)
      queue.run(
        "channels_last", in: source, count: count, rows, buffer, Int32(clamping: c),
        Int32(clamping: pixels))
    case .rowMajor:
      // There is no row-major copy, so the first one has its channels last.
      if case (.channelsLast(_, let c, let pixels), let images)? = copies.first {
        queue.run(
          "channels_first", in: source, count: count, images, buffer, Int32(clamping: c),
          Int32(clamping: pixels))
      }
    }
    copies.append((order, buffer))
    return buffer
  }
}

extension Tensor {
  /// The memory of a tensor on a GPU.
  var gpu: OpenCLMemory {
    guard let memory = storage.memory as? OpenCLMemory else {
      preconditionFailure("a tensor of \(device) is given to a GPU")
    }
    return memory
  }

  /// Whether the channels of images on a GPU are last in memory.
  var hasChannelsLastOnGPU: Bool {
    rank == 4 && channelsLast != .rowMajor && gpu.order == channelsLast
  }

  /// Makes operations take these images with their channels last, as if a convolution had written them.
  package func preferChannelsLast() {
    gpu.prefer(channelsLast)
  }
}
