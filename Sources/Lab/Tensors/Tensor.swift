import Foundation

/// An array of 32-bit floats of any number of dimensions, in row-major order.
///
/// ```swift
/// let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
/// x.shape     // [2, 3]
/// x[1]        // tensor([4., 5., 6.])
/// x.mean()    // 3.5
/// ```
///
/// A tensor is a value: nothing that is done with it, or with a copy of it, changes it. Copies share
/// their memory.
///
/// A tensor may be on a ``Tape``: operations on it are then recorded, and the tape can compute
/// gradients. Being on a tape also means training mode: dropout drops only there.
public struct Tensor {
  /// The extent of each dimension; empty for a single number.
  public let shape: [Int]
  package private(set) var storage: Storage
  package let node: Tape.Node?

  package init(shape: [Int], storage: Storage, node: Tape.Node? = nil) {
    self.shape = shape
    self.storage = storage
    self.node = node
  }

  /// A tensor of elements that are in memory.
  package init(shape: [Int], _ memory: any DeviceMemory, on backend: any Backend) {
    self.init(shape: shape, storage: Storage(memory, on: backend))
  }

  /// A tensor of the given elements in row-major order.
  ///
  /// - Parameters:
  ///   - elements: As many numbers as a tensor of `shape` has elements.
  ///   - shape: The extent of each dimension.
  public init(_ elements: [Float], shape: [Int]) {
    precondition(
      elements.count == shape.reduce(1, *) && shape.allSatisfy { $0 >= 0 },
      "a tensor of shape \(shape) has \(shape.reduce(1, *)) elements, got \(elements.count)")
    let backend = CPUBackend.shared
    self.init(shape: shape, backend.memory(of: elements, shape: shape), on: backend)
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
    self.init(repeating: value, shape: shape, on: .cpu)
  }

  /// A tensor on a device in which every element is `value`.
  package init(repeating value: Float, shape: [Int], on device: Device) {
    let backend = device.backend
    self.init(shape: shape, backend.memory(repeating: value, shape: shape), on: backend)
  }

  /// A tensor whose elements `fill` writes, without a copy in between.
  ///
  /// - Parameters:
  ///   - shape: The extent of each dimension.
  ///   - fill: Given all elements in row-major order, undefined; must write each of them.
  package init(
    shape: [Int], filledBy fill: (inout MutableSpan<Float>) throws -> Void
  ) rethrows {
    let memory = HostMemory(count: shape.reduce(1, *))
    var elements = MutableSpan(_unsafeStart: memory.pointer(.rowMajor), count: memory.count)
    try fill(&elements)
    self.init(shape: shape, memory, on: CPUBackend.shared)
  }

  /// The number of elements.
  public var count: Int { storage.count }

  /// The number of dimensions.
  public var rank: Int { shape.count }

  /// Where the elements are.
  public var device: Device { Device(storage.backend) }

  /// Computes the elements if the operation that gives them has been put off, as convolutions are so
  /// that an activation and pooling behind them cost nothing. Whatever reads elements does this.
  ///
  /// - Returns: The tensor itself.
  @discardableResult
  public func materialize() -> Tensor {
    storage.materialize()
    return self
  }

  /// A copy of the elements in row-major order. Computes them if need be; see ``materialize()``.
  public var elements: [Float] {
    storage.materialize()
    return storage.backend.elements(of: storage.memory)
  }

  /// The single element of a tensor that has only one.
  public var item: Float {
    precondition(count == 1, "item expects a tensor of one element, got shape \(shape)")
    return elements[0]
  }

  /// The single elements of tensors that have only one: waits for a device once, and not once for
  /// each.
  package static func items(of tensors: [Tensor]) -> [Float] {
    for tensor in tensors {
      precondition(tensor.count == 1, "expected tensors of one element, got \(tensor.shape)")
      tensor.materialize()
    }
    guard let first = tensors.first,
      tensors.allSatisfy({ $0.storage.backend === first.storage.backend })
    else { return tensors.map(\.item) }
    return first.storage.backend.firstElements(of: tensors.map { $0.storage.memory })
  }

  /// The part of the tensor at one index of its first dimension, on the tensor's tape.
  ///
  /// - Complexity: O(elements of the part)
  public subscript(index: Int) -> Tensor {
    precondition(
      rank > 0 && (0..<shape[0]).contains(index), "index \(index) is outside the shape \(shape)")
    return part(self, at: index)
  }

  /// The same elements in another shape, off the tape.
  package func viewed(as shape: [Int]) -> Tensor {
    Tensor(shape: shape, storage: storage)
  }

  /// The same tensor off the tape: a plain value.
  public var detached: Tensor { Tensor(shape: shape, storage: storage) }

  /// The same tensor on a device. A gradient goes back to where the tensor came from.
  public func to(_ device: Device) -> Tensor {
    guard device != self.device else { return self }
    let backend = device.backend
    let copy = Tensor(shape: shape, backend.memory(of: elements, shape: shape), on: backend)
    let (target, origin) = (gradientTarget, self.device)
    return copy.recorded(from: [self]) { target.receive($0.to(origin)) }
  }

  /// To be called before the elements are changed in place: copies them if another tensor refers to
  /// the same ones.
  package mutating func makeUnique() {
    storage.materialize()
    guard !isKnownUniquelyReferenced(&storage) else { return }
    storage = Storage(storage.backend.copy(of: storage.memory), on: storage.backend)
  }
}

extension Tensor: Equatable {
  /// Whether two tensors have the same shape and the same elements.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && a.elements == b.elements
  }
}

// MARK: Statistics

extension Tensor {
  /// The smallest element; NaN if one is NaN, infinity for an empty tensor.
  public func min() -> Float {
    elements.reduce(.infinity) { $0.isNaN || $0 <= $1 ? $0 : $1 }
  }

  /// The largest element; NaN if one is NaN, minus infinity for an empty tensor.
  public func max() -> Float {
    elements.reduce(-.infinity) { $0.isNaN || $0 >= $1 ? $0 : $1 }
  }

  /// The mean of the elements.
  public func mean() -> Float {
    Float(elements.doubleSum / Double(count))
  }

  /// The standard deviation of the elements with Bessel's correction (a sum over `count - 1`), as
  /// `torch.std` computes it.
  public func std() -> Float {
    let elements = elements
    let mean = elements.doubleSum / Double(count)
    let squares = elements.reduce(0.0) { squares, element in
      let difference = Double(element) - mean
      return squares + difference * difference
    }
    return Float((squares / Double(count - 1)).squareRoot())
  }

  /// Shape, type, min, mean, std and max on one line, each with its name.
  public var statistics: String {
    let figures = [("min", min()), ("mean", mean()), ("std", std()), ("max", max())]
      .map { "\($0) \(String(format: "%.4f", Double($1)))" }
    return "shape \(pythonTuple(shape)), type float32, \(figures.joined(separator: ", "))"
  }
}

extension [Float] {
  fileprivate var doubleSum: Double { reduce(0.0) { $0 + Double($1) } }
}
