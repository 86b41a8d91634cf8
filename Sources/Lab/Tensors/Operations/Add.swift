import Kernels

extension Tensor {
  /// The elementwise sum, with broadcasting as in NumPy and PyTorch: shapes are aligned at their last
  /// dimensions, and an operand is repeated along dimensions that it lacks or in which its extent
  /// is 1.
  ///
  /// ```swift
  /// try Tensor([1, 2], shape: [2, 1]) + Tensor([10, 20])  // tensor([[11., 21.], [12., 22.]])
  /// ```
  ///
  /// - Throws: ``ShapeError`` if extents differ and neither is 1.
  /// - Complexity: O(elements of the result)
  public static func + (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor {
    let backend = try prepare("+", a, b)
    if a.shape == b.shape {
      let sum = DeferredSum(a.detached, b.detached, .none, [a, b])
      return sum.result { $0.called("add", [a, b], $1, .deferred) }
    }
    let y = backend.binary(.add, a, b, shape: try broadcastShape("+", a, b))
    let targets = [a.gradientTarget, b.gradientTarget]
    return y.recorded(from: [a, b], as: "add") { dy in
      for target in targets where target.needsGradient {
        target.receive(backend.sum(dy, to: target.shape))
      }
    }
  }

  /// Adds to a tensor: the skip connection of a residual block.
  ///
  /// ```swift
  /// var x = try conv2(conv1(input))
  /// try x += input
  /// ```
  ///
  /// - Throws: ``ShapeError`` if the shapes do not fit, or the sum has another shape than the tensor.
  public static func += (a: inout Tensor, b: Tensor) throws(ShapeError) {
    a = try a + b
  }

  /// The elementwise sum with a tensor of the same shape, off the tape.
  package func adding(_ other: Tensor) -> Tensor {
    storage.backend.add(self, other, .none)
  }
}

/// The shape of the result of an elementwise operation.
func broadcastShape(
  _ operation: String, _ a: Tensor, _ b: Tensor
) throws(ShapeError) -> [Int] {
  try broadcastShape(operation, a.shape, b.shape)
}

func broadcastShape(
  _ operation: String, _ a: [Int], _ b: [Int]
) throws(ShapeError) -> [Int] {
  let rank = Swift.max(a.count, b.count)
  func padded(_ shape: [Int]) -> [Int] { Array(repeating: 1, count: rank - shape.count) + shape }
  var shape: [Int] = []
  for (p, q) in zip(padded(a), padded(b)) {
    guard p == q || p == 1 || q == 1 else {
      throw ShapeError(
        operation,
        expected: "shapes that are equal, or 1, in every dimension, counted from the last",
        got: "\(a) and \(b)",
        hint: operation == "+"
          ? "a skip connection adds tensors of the same shape: a 1×1 convolution changes "
            + "channels, with a stride also height and width" : nil)
    }
    // Not the larger one: an extent of 0 against 1 gives 0.
    shape.append(p == 1 ? q : p)
  }
  return shape
}

/// The sum of two tensors of the same shape, put off so that an activation behind it can be computed
/// with it: `relu(x + F(x))` is one pass over memory.
private final class DeferredSum: DeferredOperation, @unchecked Sendable {
  // Sendable because nothing changes once there is a result.
  private let a, b: Tensor
  private let activation: Activation
  private let inputs: [Tensor]
  private(set) var label: OperationLabel?

  /// - Parameters:
  ///   - a: A tensor off the tape.
  ///   - b: Another one.
  ///   - activation: What follows.
  ///   - inputs: The same two on their tape.
  init(_ a: Tensor, _ b: Tensor, _ activation: Activation, _ inputs: [Tensor]) {
    (self.a, self.b, self.activation, self.inputs) = (a, b, activation, inputs)
  }

  private var backend: any Backend { a.storage.backend }

  /// The sum on the tape of its inputs.
  ///
  /// - Parameter report: Reports it to who looks at operations.
  func result(
    _ report: (any OperationObserver, Tensor) -> OperationLabel?
  ) -> Tensor {
    let storage = Storage(count: a.count, deferred: self, on: backend)
    let y = Tensor(shape: a.shape, storage: storage)
    label = OperationObservation.observer.flatMap { report($0, y) }
    let targets = inputs.map(\.gradientTarget)
    guard activation != .none else {
      return y.recorded(from: inputs, label) { dy in targets.forEach { $0.receive(dy) } }
    }
    return y.recorded(from: inputs, label) { [activation, backend] dy in
      let gradient = backend.activationGradient(activation, y: y.materialize(), dy: dy)
      targets.forEach { $0.receive(gradient) }
    }
  }

  func compute() -> Tensor { backend.add(a, b, activation) }

  func fused(with activation: Activation) -> Tensor? {
    guard self.activation == .none else { return nil }
    return DeferredSum(a, b, activation, inputs).result { [label] _, _ in label }
  }
}
