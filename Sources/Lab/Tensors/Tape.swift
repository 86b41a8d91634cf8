/// Records operations, so that gradients can be computed from their result back to what it was
/// computed from (reverse-mode automatic differentiation).
///
/// ```swift
/// let tape = Tape()
/// let x = tape.variable(Tensor([1, -2, 3]))
/// let loss = sum(relu(x))
/// try tape.backward(loss)
/// tape.gradient(of: x)  // tensor([1., 0., 1.])
/// ```
///
/// A tape is for one backward pass, which frees what was recorded. What was recorded also goes when
/// the last tensor that was computed goes, whether or not there was a backward pass. A tape must not
/// be shared between threads.
public final class Tape {
  /// A tensor on a tape, and how its gradient is passed on to the tensors it was computed from.
  package final class Node {
    package let tape: Tape
    /// Operations are numbered in the order in which they were recorded.
    fileprivate let index: Int
    package let needsGradient: Bool
    fileprivate var parents: [Node]
    fileprivate var pullback: ((Tensor) -> Void)?
    fileprivate var gradient: Tensor?
    /// What the pullback is reported as, if somebody looks at operations.
    fileprivate let label: OperationLabel?

    fileprivate init(
      _ tape: Tape, needsGradient: Bool, parents: [Node] = [], label: OperationLabel? = nil,
      pullback: ((Tensor) -> Void)? = nil
    ) {
      (self.tape, index, self.needsGradient) = (tape, tape.count, needsGradient)
      (self.parents, self.label, self.pullback) = (parents, label, pullback)
      tape.count += 1
    }

    /// Forgets how the gradient is passed on.
    fileprivate func release() {
      // First the pullback: while the parents are held here, none is freed with it.
      pullback = nil
      parents = []
    }

    // A long chain would otherwise be freed recursively, and overflow the stack.
    deinit {
      var nodes = parents
      release()
      while var node = nodes.popLast() {
        guard isKnownUniquelyReferenced(&node) else { continue }
        nodes += node.parents
        node.release()
      }
    }
  }

  private var count = 0
  private var hasGoneBackward = false
  /// Where gradients by parameters go; nil for the parameters themselves.
  package let receiver: (any GradientReceiver)?

  /// An empty tape.
  public init() {
    receiver = nil
    OperationObservation.observer?.forwardBegins()
  }

  /// An empty tape whose gradients by parameters go to `receiver`.
  package init(_ receiver: any GradientReceiver) {
    self.receiver = receiver
    OperationObservation.observer?.forwardBegins()
  }

  /// `x` on this tape as data: what is computed from it is recorded, but it gets no gradient.
  public func input(_ x: Tensor) -> Tensor {
    Tensor(shape: x.shape, storage: x.storage, node: Node(self, needsGradient: false))
  }

  /// `x` on this tape as something to differentiate by; see ``gradient(of:)``.
  public func variable(_ x: Tensor) -> Tensor {
    Tensor(shape: x.shape, storage: x.storage, node: Node(self, needsGradient: true))
  }

  /// The gradient with respect to `x` that ``backward(_:)`` has computed, of the shape of `x`; nil
  /// when `x` is not a variable of this tape or the loss does not depend on it.
  public func gradient(of x: Tensor) -> Tensor? {
    guard let node = x.node, node.tape === self else { return nil }
    return node.gradient
  }

  /// Computes the gradient of `loss` with respect to all variables and parameters that it was
  /// computed from, last operation first, and frees what was recorded.
  ///
  /// - Parameter loss: A single number on this tape.
  /// - Throws: ``ShapeError`` if `loss` has more than one element or is not on this tape, or if the
  ///   tape has been used before: of two losses, take the sum.
  public func backward(_ loss: Tensor) throws(ShapeError) {
    guard loss.count == 1 || loss.tape !== self else {
      throw ShapeError(
        "backward", expected: "a loss of one element", got: "shape \(loss.shape)",
        hint: "reduce it first, for example with crossEntropy or sum")
    }
    try backward(loss, gradient: loss.storage.backend.one.viewed(as: loss.shape))
  }

  /// Computes gradients from a result that need not be a single number, given the gradient with
  /// respect to it.
  ///
  /// - Parameters:
  ///   - result: A tensor on this tape.
  ///   - gradient: A tensor of the result's shape.
  /// - Throws: ``ShapeError`` if the shapes differ, the result is not on this tape, or the tape has
  ///   been used before.
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
    guard !hasGoneBackward else {
      throw ShapeError(
        "backward", expected: "a tape that is used once", got: "a second call",
        hint: "add up the losses and call backward with their sum, or take a tape for each")
    }
    hasGoneBackward = true
    node.gradient = gradient.detached
    let observer = OperationObservation.observer
    var nodes = reachable(from: node)
    while let node = nodes.popLast() {
      // Variables keep their gradient; that of an intermediate result is not needed any more.
      guard let pullback = node.pullback else { continue }
      let gradient = node.gradient
      node.gradient = nil
      node.release()
      guard let gradient else { continue }
      if let observer {
        OperationObservation.of(node.label, isBackward: true, observer) { pullback(gradient) }
      } else {
        pullback(gradient)
      }
    }
    observer?.backwardEnded()
  }

  /// The nodes that `node` was computed from and itself, in the order in which they were recorded.
  private func reachable(from node: Node) -> [Node] {
    var found = [node]
    var seen: Set = [node.index]
    var unvisited = [node]
    while let node = unvisited.popLast() {
      for parent in node.parents where parent.needsGradient && seen.insert(parent.index).inserted {
        found.append(parent)
        unvisited.append(parent)
      }
    }
    return found.sorted { $0.index < $1.index }
  }

  /// Puts an operation's result on this tape.
  fileprivate func record(
    _ result: Tensor, from inputs: [Tensor], _ label: OperationLabel?,
    pullback: @escaping (Tensor) -> Void
  ) -> Tensor {
    let parents = inputs.compactMap(\.node).filter { $0.tape === self && $0.needsGradient }
    let node =
      parents.isEmpty
      ? Node(self, needsGradient: false)
      : Node(self, needsGradient: true, parents: parents, label: label, pullback: pullback)
    return Tensor(shape: result.shape, storage: result.storage, node: node)
  }

  /// Puts a value on this tape whose gradient goes to `receive`.
  package func leaf(_ value: Tensor, _ receive: @escaping (Tensor) -> Void) -> Tensor {
    let node = Node(self, needsGradient: true, pullback: receive)
    return Tensor(shape: value.shape, storage: value.storage, node: node)
  }
}

/// Takes the gradients by parameters that a backward pass computes, if they are not added to the
/// parameters.
package protocol GradientReceiver: AnyObject {
  /// Called for each use of a parameter in the forward pass.
  func expect(_ parameter: Parameter)
  /// Called for each use in the backward pass that the loss depends on.
  func receive(_ gradient: Tensor, of parameter: Parameter)
}

/// Where the gradient of a tensor goes: all that a pullback has to hold of an input whose elements
/// it does not need.
package struct GradientTarget {
  package let shape: [Int]
  fileprivate let device: Device
  fileprivate let node: Tape.Node?

  /// Whether a gradient is wanted.
  package var needsGradient: Bool { node?.needsGradient == true }

  /// Adds to the tensor's gradient; does nothing for a tensor that needs none.
  package func receive(_ gradient: Tensor) {
    guard let node, node.needsGradient else { return }
    let gradient = gradient.detached.to(device).materialize()
    precondition(
      gradient.shape == shape, "a gradient of shape \(gradient.shape) for a tensor of \(shape)")
    // The sum gets memory of its own, for others may hold what was received before.
    node.gradient = node.gradient.map { $0.adding(gradient) } ?? gradient
  }
}

extension Tensor {
  /// The tape that this tensor is on; nil for a plain value.
  public var tape: Tape? { node?.tape }

  /// Whether a backward pass must compute a gradient for this tensor.
  public var needsGradient: Bool { node?.needsGradient == true }

  /// Where this tensor's gradient goes.
  package var gradientTarget: GradientTarget {
    GradientTarget(shape: shape, device: device, node: node)
  }

  /// Adds to this tensor's gradient, inside a pullback; does nothing for a tensor that needs none.
  ///
  /// - Parameter gradient: The gradient of the loss by this tensor, of the same shape.
  public func receive(_ gradient: Tensor) {
    gradientTarget.receive(gradient)
  }

  /// This result of an operation, on the tape of its inputs if any of them is on one: how to write
  /// an operation of your own.
  ///
  /// ```swift
  /// func square(_ x: Tensor) -> Tensor {
  ///   let y = Tensor(x.elements.map { $0 * $0 }, shape: x.shape)
  ///   return y.recorded(from: [x]) { dy in
  ///     x.receive(Tensor(zip(x.elements, dy.elements).map { 2 * $0 * $1 }, shape: x.shape))
  ///   }
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - inputs: The tensors that the result was computed from, all on the same tape or on none.
  ///   - operation: The operation's name in profiles and in the network's graph: by default that of the
  ///     function.
  ///   - pullback: Called with the gradient of the loss by this result; passes each input that
  ///     ``needsGradient`` its own through ``receive(_:)``.
  public func recorded(
    from inputs: [Tensor], operation: StaticString = #function,
    pullback: @escaping (_ gradient: Tensor) -> Void
  ) -> Tensor {
    // `#function` has the labels of the parameters too.
    recorded(from: inputs, as: String("\(operation)".prefix { $0 != "(" }), pullback: pullback)
  }

  /// The same with a name that is asked for only if somebody looks at operations.
  func recorded(
    from inputs: [Tensor], as operation: @autoclosure () -> String,
    pullback: @escaping (_ gradient: Tensor) -> Void
  ) -> Tensor {
    let label = OperationObservation.observer.flatMap {
      $0.called(operation(), inputs, self, .computed)
    }
    return recorded(from: inputs, label, pullback: pullback)
  }

  /// The same for an operation that has been reported.
  func recorded(
    from inputs: [Tensor], _ label: OperationLabel?,
    pullback: @escaping (_ gradient: Tensor) -> Void
  ) -> Tensor {
    guard let tape = inputs.lazy.compactMap(\.tape).first else { return self }
    return tape.record(detached, from: inputs, label, pullback: pullback)
  }
}
