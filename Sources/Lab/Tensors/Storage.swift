import Synchronization

/// The elements of one or more tensors on a device: memory that holds them, or an operation that has
/// been put off and will compute them.
///
/// Elements that have been computed never change while two tensors refer to them: an optimizer
/// copies them first (``Tensor/makeUnique()``). Computing happens in ``materialize()`` alone, once,
/// whichever thread asks first.
package final class Storage: Sendable {
  /// What computes with the elements.
  package let backend: any Backend
  /// The number of elements.
  package let count: Int
  private let state: Mutex<State>

  private enum State {
    case deferred(any DeferredOperation)
    case computed(any DeviceMemory)
  }

  /// Elements that are there.
  package init(_ memory: any DeviceMemory, on backend: any Backend) {
    (self.backend, count) = (backend, memory.count)
    state = Mutex(.computed(memory))
  }

  /// Elements that will be computed.
  package init(count: Int, deferred operation: any DeferredOperation, on backend: any Backend) {
    (self.backend, self.count) = (backend, count)
    state = Mutex(.deferred(operation))
  }

  /// Computes the elements unless that has been done.
  package func materialize() {
    state.withLock { state in
      guard case .deferred(let operation) = state else { return }
      let result =
        OperationObservation.observer.map {
          OperationObservation.of(operation.label, isBackward: false, $0, operation.compute)
        } ?? operation.compute()
      state = .computed(result.storage.memory)
    }
  }

  /// The operation that will compute the elements; nil if they have been computed.
  package var deferred: (any DeferredOperation)? {
    state.withLock { if case .deferred(let operation) = $0 { operation } else { nil } }
  }

  /// The memory of elements that have been computed.
  package var memory: any DeviceMemory {
    state.withLock { state in
      guard case .computed(let memory) = state else {
        preconditionFailure("a tensor is read before materialize()")
      }
      return memory
    }
  }
}

/// An operation that has been put off, so that the one that takes its result can be computed with
/// it in one pass over memory.
///
/// Its inputs have been computed, unless it can be fused with the one that computes them: so no more
/// than two operations ever wait for each other.
package protocol DeferredOperation: AnyObject, Sendable {
  /// What the computation is reported as, if somebody looks at operations.
  var label: OperationLabel? { get }
  /// The result, computed.
  func compute() -> Tensor
  /// The result of this operation with an activation behind it; nil if the two cannot be fused.
  func fused(with activation: Activation) -> Tensor?
}

/// The backend of an operation's inputs, all of them computed.
///
/// - Throws: ``ShapeError`` if they are on different devices.
package func prepare(
  _ operation: String, _ inputs: Tensor?...
) throws(ShapeError) -> any Backend {
  let backend = try commonBackend(operation, inputs.compactMap { $0 })
  for input in inputs { input?.materialize() }
  return backend
}

/// The backend of an operation's inputs.
///
/// - Throws: ``ShapeError`` if they are on different devices.
package func commonBackend(
  _ operation: String, _ inputs: [Tensor]
) throws(ShapeError) -> any Backend {
  let backend = inputs[0].storage.backend
  for input in inputs.dropFirst() where input.storage.backend !== backend {
    throw ShapeError(
      operation, expected: "tensors on one device", got: "\(backend.name) and \(input.device)",
      hint: "move the model and the batch to the same device")
  }
  return backend
}

/// Stands for elements that nobody reads, in a tensor that is there for its shape; they would be zeros.
private final class AbsentElements: DeferredOperation {
  private let shape: [Int]

  init(_ shape: [Int]) { self.shape = shape }

  func compute() -> Tensor { Tensor(repeating: 0, shape: shape) }
  func fused(with activation: Activation) -> Tensor? { nil }
}

extension Tensor {
  /// A tensor that has a shape, of any size, and takes no memory unless its elements are read.
  package init(absent shape: [Int]) {
    let count = shape.reduce(1) {
      let (product, overflow) = $0.multipliedReportingOverflow(by: $1)
      return overflow ? .max : product
    }
    self.init(
      shape: shape,
      storage: Storage(count: count, deferred: AbsentElements(shape), on: CPUBackend.shared))
  }
}
