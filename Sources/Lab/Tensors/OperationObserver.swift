/// Looks at the operations of a network while they are computed: to find out which layer each of them
/// belongs to, and how long it takes.
///
/// An operation that is called reports itself, and what its computations are to be called. That is one
/// look at ``OperationObservation/observer`` for each; one more for an operation that was put off, when
/// it is computed, and one for a whole backward pass.
package protocol OperationObserver: AnyObject, Sendable {
  /// Called when a tape is made, with which a forward pass begins.
  func forwardBegins()

  /// Called when an operation has been called: after its computation, unless that has been put off.
  ///
  /// - Parameters:
  ///   - operation: Its name, such as `conv2d`.
  ///   - inputs: What it was called with, parameters included.
  ///   - output: Its result.
  ///   - kind: Whether the result has been computed.
  /// - Returns: What the operation's later computations are reported as; nil for none.
  func called(
    _ operation: String, _ inputs: [Tensor], _ output: Tensor, _ kind: OperationKind
  ) -> OperationLabel?

  /// Called before a computation that was put off, and before the gradients of an operation.
  func computationBegins()
  /// Called after it.
  func computationEnded(_ label: OperationLabel, isBackward: Bool)
  /// Called after the last gradient of a tape.
  func backwardEnded()
}

/// For observers that look at calls only.
extension OperationObserver {
  package func forwardBegins() {}
  package func computationBegins() {}
  package func computationEnded(_ label: OperationLabel, isBackward: Bool) {}
  package func backwardEnded() {}
}

/// When an operation is computed.
package enum OperationKind: Sendable {
  /// It has been.
  case computed
  /// It has been put off: it is reported again when it is computed.
  case deferred
  /// It is computed together with the operation that gave its input.
  case fused
}

/// An operation of a layer.
package final class OperationLabel: Sendable {
  /// The name of the operation, such as `conv2d`.
  package let operation: String
  /// The path of the layer, such as `conv1.conv`; empty for none.
  package let layer: String

  package init(_ operation: String, layer: String) {
    (self.operation, self.layer) = (operation, layer)
  }

  /// The label of an operation that is computed together with one in front of it.
  func behind(_ front: OperationLabel) -> OperationLabel {
    OperationLabel(
      operation,
      layer: front.layer == layer ? layer : "\(front.layer) + \(layer)")
  }
}

extension DeferredOperation {
  package var label: OperationLabel? { nil }
}

/// Who looks at operations.
package enum OperationObservation {
  /// Nil if nobody does.
  @TaskLocal package static var observer: (any OperationObserver)?

  /// The computation of something that has a label.
  static func of<Result>(
    _ label: OperationLabel?, isBackward: Bool, _ observer: any OperationObserver,
    _ compute: () -> Result
  ) -> Result {
    guard let label else { return compute() }
    observer.computationBegins()
    let result = compute()
    observer.computationEnded(label, isBackward: isBackward)
    return result
  }
}

extension Tensor {
  /// This tensor, reported as the result of an operation that needs no computation of its own.
  ///
  /// - Parameters:
  ///   - operation: The name of the operation.
  ///   - x: Its input.
  ///   - kind: How it is computed.
  func noted(
    _ operation: @autoclosure () -> String, of x: Tensor, _ kind: OperationKind
  ) -> Tensor {
    _ = OperationObservation.observer?.called(operation(), [x], self, kind)
    return self
  }
}
