import Kernels
import Synchronization

/// The order of a tensor's elements in the processor's memory.
enum ElementOrder: Equatable {
  /// The last dimension changes fastest; images lie as N, C, H, W.
  case rowMajor
  /// N images of C channels lie as N, H, W, C: all channels of a pixel side by side, as convolutions
  /// want them.
  case channelsLast(n: Int, c: Int, pixels: Int)

  /// The order of images with their channels last. With one channel or one pixel it is row-major.
  static func channels(_ n: Int, _ c: Int, _ pixels: Int) -> ElementOrder {
    c == 1 || pixels == 1 ? .rowMajor : .channelsLast(n: n, c: c, pixels: pixels)
  }
}

/// The elements of a tensor in the processor's memory: in the order in which they were written, and
/// in each other order that has been asked for since.
///
/// Pointers stay valid while the memory is referred to and not changed by ``mutablePointer(_:)``.
final class HostMemory: DeviceMemory {
  let count: Int
  private let contents: Mutex<Contents>

  private struct Contents {
    /// The first one is the order that the elements were written in, or that is preferred since.
    var copies: [(order: ElementOrder, buffer: Buffer)]
    /// Something made from the elements; see ``derived(_:)``.
    var derived: (any Derived)?
  }

  /// Elements that are undefined until they have been written.
  ///
  /// - Parameters:
  ///   - count: The number of elements.
  ///   - order: The order that they will be written in.
  init(count: Int, order: ElementOrder = .rowMajor) {
    self.count = count
    contents = Mutex(Contents(copies: [(order, Buffer(count: count))]))
  }

  /// A copy in the preferred order.
  convenience init(copying other: HostMemory) {
    self.init(count: other.count, order: other.order)
    pointer(order).update(from: other.pointer(order), count: count)
  }

  /// The order that the elements were written in, or that ``prefer(_:)`` has chosen.
  var order: ElementOrder {
    contents.withLock { $0.copies[0].order }
  }

  /// The elements in an order.
  func pointer(_ order: ElementOrder) -> UnsafeMutablePointer<Float> {
    contents.withLock { contents in
      Self.buffer(of: &contents, in: order, count: count).pointer
    }
  }

  /// Makes an order the preferred one, in which an optimizer will change the elements.
  func prefer(_ order: ElementOrder) {
    contents.withLock { contents in
      guard contents.copies[0].order != order else { return }
      _ = Self.buffer(of: &contents, in: order, count: count)
      if let index = contents.copies.firstIndex(where: { $0.order == order }) {
        contents.copies.swapAt(0, index)
      }
    }
  }

  /// The elements in an order, to be changed: what else is known of them is forgotten.
  func mutablePointer(_ order: ElementOrder) -> UnsafeMutablePointer<Float> {
    contents.withLock { contents in
      let buffer = Self.buffer(of: &contents, in: order, count: count)
      contents.copies = [(order, buffer)]
      contents.derived = nil
      return buffer.pointer
    }
  }

  /// Something made from the elements that will be wanted again while they stay as they are.
  ///
  /// - Parameters:
  ///   - fits: Whether what was made before is what is wanted.
  ///   - make: Makes it.
  func derived<Value: Derived>(
    where fits: (Value) -> Bool, _ make: () -> Value
  ) -> Value {
    if let value = contents.withLock({ $0.derived }) as? Value, fits(value) { return value }
    let value = make()
    contents.withLock { $0.derived = value }
    return value
  }

  private static func buffer(
    of contents: inout Contents, in order: ElementOrder, count: Int
  ) -> Buffer {
    if let copy = contents.copies.first(where: { $0.order == order }) { return copy.buffer }
    let buffer = Buffer(count: count)
    switch order {
    case .channelsLast(let n, let c, let pixels):
      let source = Self.buffer(of: &contents, in: .rowMajor, count: count)
      channelsLast(source.pointer, into: buffer.pointer, n: n, c: c, pixels: pixels)
    case .rowMajor:
      // There is no row-major copy, so the first one has its channels last.
      if case (.channelsLast(let n, let c, let pixels), let source)? = contents.copies.first {
        channelsFirst(source.pointer, into: buffer.pointer, n: n, c: c, pixels: pixels)
      }
    }
    contents.copies.append((order, buffer))
    return buffer
  }
}

/// What can be derived from a tensor's elements and kept with them.
protocol Derived: AnyObject, Sendable {}

extension Tensor {
  /// The memory of a tensor of the processor.
  var host: HostMemory {
    guard let memory = storage.memory as? HostMemory else {
      preconditionFailure("a tensor of \(device) is given to the processor")
    }
    return memory
  }

  /// The elements in row-major order.
  var pointer: UnsafeMutablePointer<Float> { host.pointer(.rowMajor) }

  /// The elements of images with their channels last.
  var pixels: UnsafeMutablePointer<Float> { host.pointer(channelsLast) }

  /// The order of this tensor's images with their channels last.
  var channelsLast: ElementOrder { .channels(shape[0], shape[1], shape[2] * shape[3]) }

  /// The order that an elementwise operation takes so that nothing is converted.
  var order: ElementOrder { host.order }

  /// A tensor of the processor whose elements are undefined until they have been written.
  init(uninitialized shape: [Int], order: ElementOrder = .rowMajor) {
    self.init(
      shape: shape, HostMemory(count: shape.reduce(1, *), order: order), on: CPUBackend.shared)
  }

  /// Images of the processor with their channels last, undefined until they have been written.
  init(uninitializedImages shape: [Int]) {
    self.init(
      uninitialized: shape, order: .channels(shape[0], shape[1], shape[2] * shape[3]))
  }

  /// A single number.
  init(scalar: Float) {
    self.init([scalar], shape: [])
  }
}
