/// An array of 32-bit floats of any number of dimensions, in row-major order.
///
/// ```swift
/// let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
/// x.shape     // [2, 3]
/// x[1]        // tensor([4., 5., 6.])
/// x.mean()    // 3.5
/// ```
///
/// A tensor is a value: nothing that is done with it changes it. Copies share their memory.
///
/// A tensor may be on a ``Tape``. What is computed from it then is on the tape too, and the tape
/// can work out gradients. "On a tape" also means "being learned from": dropout drops only there.
public struct Tensor {
  /// The extent of each dimension; empty for a single number.
  public let shape: [Int]
  package let storage: Storage
  package let node: Tape.Node?

  package init(shape: [Int], storage: Storage, node: Tape.Node? = nil) {
    self.shape = shape
    self.storage = storage
    self.node = node
  }

  /// A tensor whose elements are undefined until an operation has written them.
  package init(uninitialized shape: [Int], layout: Layout = .rowMajor) {
    self.init(shape: shape, storage: Storage(shape: shape, layout: layout))
  }

  /// A tensor of the given elements in row-major order.
  ///
  /// - Parameters:
  ///   - elements: As many numbers as `shape` has places.
  ///   - shape: The extent of each dimension.
  public init(_ elements: [Float], shape: [Int]) {
    precondition(
      elements.count == shape.reduce(1, *) && shape.allSatisfy { $0 >= 0 },
      "a tensor of shape \(shape) has \(shape.reduce(1, *)) elements, got \(elements.count)")
    self.init(uninitialized: shape)
    pointer.update(from: elements, count: elements.count)
  }

  /// A tensor of one dimension.
  public init(_ elements: [Float]) {
    self.init(elements, shape: [elements.count])
  }

  /// A tensor in which every element is `value`.
  ///
  /// - Parameters:
  ///   - value: The element.
  ///   - shape: The extent of each dimension.
  public init(repeating value: Float, shape: [Int]) {
    self.init(uninitialized: shape)
    pointer.update(repeating: value, count: count)
  }

  /// The number of elements.
  public var count: Int { storage.count }

  /// The number of dimensions.
  public var rank: Int { shape.count }

  /// A copy of the elements in row-major order.
  public var elements: [Float] {
    Array(UnsafeBufferPointer(start: pointer, count: count))
  }

  /// The single element of a tensor that has only one.
  public var item: Float {
    precondition(count == 1, "item wants a tensor of one element, got shape \(shape)")
    return pointer[0]
  }

  /// The part of the tensor at one index of its first dimension.
  ///
  /// - Complexity: O(elements of the part)
  public subscript(index: Int) -> Tensor {
    precondition(
      rank > 0 && (0..<shape[0]).contains(index), "index \(index) is outside the shape \(shape)")
    let part = Tensor(uninitialized: Array(shape.dropFirst()))
    part.pointer.update(from: pointer + index * part.count, count: part.count)
    return part
  }

  /// The same elements in another shape, off the tape.
  package func viewed(as shape: [Int]) -> Tensor {
    Tensor(shape: shape, storage: storage.view(shape: shape))
  }

  /// The same tensor off the tape: a plain value.
  public var detached: Tensor { Tensor(shape: shape, storage: storage) }

  /// The elements in row-major order.
  package var pointer: UnsafeMutablePointer<Float> { storage.pointer(.rowMajor) }

  /// The elements in the order of a layout.
  package func pointer(_ layout: Layout) -> UnsafeMutablePointer<Float> { storage.pointer(layout) }

  /// The layout that the elements were written in: for operations to which the order is all one.
  package var layout: Layout { storage.layout }
}

extension Tensor: Equatable {
  /// Whether two tensors have the same shape and the same elements.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && (0..<a.count).allSatisfy { a.pointer[$0] == b.pointer[$0] }
  }
}
