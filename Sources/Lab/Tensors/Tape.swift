/// Remembers what was computed from the tensors on it, and works out gradients by going back
/// through that (reverse-mode automatic differentiation).
///
/// ```swift
/// let tape = Tape()
/// let x = tape.variable(Tensor([1, -2, 3]))
/// let loss = sum(relu(x))
/// try tape.backward(loss)
/// tape.gradient(of: x)  // tensor([1., 0., 1.])
/// ```
///
/// A tape is for one step: going back frees what was recorded. It is not to be shared between
/// threads.
public final class Tape {
  /// A tensor's place on a tape.
  package struct Node {
    package let tape: Tape
    package let index: Int
  }

  private struct Entry {
    let output: Int
    let pullback: (Tensor) -> Void
  }

  private var entries: [Entry] = []
  private var needsGradient: [Bool] = []
  private var gradients: [Tensor?] = []

  /// An empty tape.
  public init() {}

  /// `x` on this tape as data: what is computed from it is recorded, but it gets no gradient.
  public func input(_ x: Tensor) -> Tensor {
    place(x, needsGradient: false)
  }

  /// `x` on this tape as something to differentiate by: see ``gradient(of:)``.
  public func variable(_ x: Tensor) -> Tensor {
    place(x, needsGradient: true)
  }

  /// The gradient of the last ``backward(_:)``'s loss with respect to `x`, of the shape of `x`;
  /// nil when `x` is not a variable of this tape or the loss does not depend on it.
  public func gradient(of x: Tensor) -> Tensor? {
    guard let node = x.node, node.tape === self else { return nil }
    return gradients[node.index]
  }

  /// Works out the gradient of `loss` with respect to all variables and parameters it was computed
  /// from, last operation first, and frees what was recorded.
  ///
  /// - Parameter loss: A single number on this tape.
  /// - Throws: ``ShapeError`` if `loss` has more than one element or is not on this tape.
  public func backward(_ loss: Tensor) throws(ShapeError) {
    guard loss.count == 1 || loss.tape !== self else {
      throw ShapeError(
        "backward", expected: "a loss of one element", got: "shape \(loss.shape)",
        hint: "reduce it first, for example with crossEntropy or sum")
    }
    try backward(loss, gradient: Tensor(repeating: 1, shape: loss.shape))
  }

  /// Goes back from a result that need not be a single number, given the gradient with respect to it.
  ///
  /// - Parameters:
  ///   - result: A tensor on this tape.
  ///   - gradient: A tensor of the result's shape.
  /// - Throws: ``ShapeError`` if the shapes differ or the result is not on this tape.
  public func backward(_ result: Tensor, gradient: Tensor) throws(ShapeError) {
    guard let node = result.node, node.tape === self else {
      throw ShapeError(
        "backward", expected: "a loss computed from tensors on this tape",
        got: "a tensor that is not on it",
        hint: "pass the batch through tape.input(x) before the model")
    }
    guard gradient.shape == result.shape else {
      throw ShapeError(
        "backward", expected: "a gradient of the result's shape \(result.shape)",
        got: "\(gradient.shape)")
    }
    gradients[node.index] = gradient.detached
    while let entry = entries.popLast() {
      // Only variables keep their gradient; those of intermediate results are done with here.
      guard let gradient = gradients[entry.output] else { continue }
      gradients[entry.output] = nil
      entry.pullback(gradient)
    }
  }

  private func place(_ x: Tensor, needsGradient flag: Bool) -> Tensor {
    needsGradient.append(flag)
    gradients.append(nil)
    let node = Node(tape: self, index: needsGradient.count - 1)
    return Tensor(shape: x.shape, storage: x.storage, node: node)
  }

  /// Puts an operation's result on this tape, with how its gradient goes back to what it was
  /// computed from.
  package func record(_ result: Tensor, pullback: ((Tensor) -> Void)?) -> Tensor {
    let placed = place(result, needsGradient: pullback != nil)
    if let pullback { entries.append(Entry(output: needsGradient.count - 1, pullback: pullback)) }
    return placed
  }

  fileprivate func needsGradient(_ node: Node) -> Bool {
    needsGradient[node.index]
  }

  fileprivate func accumulate(_ gradient: Tensor, at node: Node) {
    guard let sum = gradients[node.index] else {
      gradients[node.index] = gradient.detached
      return
    }
    // A gradient may be shared between several receivers, so the sum gets memory of its own.
    gradients[node.index] = sum.adding(gradient)
  }
}

extension Tensor {
  /// The tape that this tensor is on; nil for a plain value, which nobody learns from.
  public var tape: Tape? { node?.tape }

  /// Whether going back along the tape must work out a gradient for this tensor.
  package var needsGradient: Bool {
    node.map { $0.tape.needsGradient($0) } ?? false
  }

  /// Adds to this tensor's gradient; does nothing for a tensor that needs none.
  package func receive(_ gradient: Tensor) {
    guard let node, node.tape.needsGradient(node) else { return }
    node.tape.accumulate(gradient, at: node)
  }

  /// This result of an operation, on the tape of its inputs if any of them is on one.
  ///
  /// - Parameters:
  ///   - inputs: What the result was computed from.
  ///   - pullback: Called with the gradient of the loss with respect to this result; hands each
  ///     input that ``needsGradient`` its own by ``receive(_:)``.
  package func recorded(from inputs: [Tensor], pullback: @escaping (Tensor) -> Void) -> Tensor {
    guard let tape = inputs.lazy.compactMap(\.tape).first else { return self }
    let isNeeded = inputs.contains { $0.needsGradient }
    return tape.record(self, pullback: isNeeded ? pullback : nil)
  }
}
