/// A tensor that training changes: a weight or a bias of a layer, with its gradient.
///
/// Layers hold parameters as stored properties; a parameter's path, such as `conv1.conv.weight`,
/// is the chain of property names, as in PyTorch.
public final class Parameter {
  /// The current value. An optimizer changes its elements in place.
  public private(set) var value: Tensor
  /// The gradient from the last steps back along a tape, of the value's shape; nil when there was
  /// none since ``clearGradient()``.
  public private(set) var gradient: Tensor?

  /// - Parameter value: The initial value.
  public init(_ value: Tensor) {
    self.value = value.detached
  }

  /// The extent of each dimension.
  public var shape: [Int] { value.shape }

  /// The number of elements.
  public var count: Int { value.count }

  /// The value as an input of an operation on `tape`: the gradient that comes back along the tape
  /// is added to ``gradient``. Without a tape, the plain value.
  public func on(_ tape: Tape?) -> Tensor {
    guard let tape else { return value }
    return tape.record(value) { [self] gradient in
      self.gradient = self.gradient.map { $0.adding(gradient) } ?? gradient.detached
    }
  }

  /// Forgets the gradient, before the next step.
  public func clearGradient() {
    gradient = nil
  }

  /// Replaces the value by another one of the same shape.
  ///
  /// - Parameter value: The new value; its elements are copied.
  /// - Throws: ``ShapeError`` if the shapes differ.
  public func load(_ value: Tensor) throws(ShapeError) {
    guard value.shape == shape else {
      throw ShapeError("load", expected: "a value of shape \(shape)", got: "\(value.shape)")
    }
    load(elements: value.elements)
  }

  /// Replaces the elements.
  ///
  /// - Parameter elements: As many as the value has, in row-major order.
  package func load(elements: [Float]) {
    value = Tensor(elements, shape: shape)
  }
}
