/// A tensor that training changes: a weight or a bias of a layer, with its gradient.
///
/// Layers hold parameters as stored properties. A parameter's path, such as `conv1.conv.weight`,
/// is the chain of property names, as in PyTorch.
public final class Parameter {
  /// The current value. An optimizer replaces it; a copy of it stays as it is.
  public private(set) var value: Tensor
  /// The sum of the gradients from the backward passes since ``clearGradient()``, of the value's
  /// shape; nil if there was none.
  public private(set) var gradient: Tensor?

  /// - Parameter value: The initial value.
  public init(_ value: Tensor) {
    self.value = value.detached
  }

  /// The extent of each dimension.
  public var shape: [Int] { value.shape }

  /// The number of elements.
  public var count: Int { value.count }

  /// The value as an input of an operation on `tape`: its gradient is added to ``gradient``. Without
  /// a tape, the plain value.
  public func on(_ tape: Tape?) -> Tensor {
    guard let tape else { return value }
    if let receiver = tape.receiver {
      receiver.expect(self)
      return tape.leaf(value) { [self] in receiver.receive($0, of: self) }
    }
    return tape.leaf(value) { [self] gradient in
      self.gradient = self.gradient.map { $0.adding(gradient) } ?? gradient
    }
  }

  /// Replaces the gradient.
  package func setGradient(_ gradient: Tensor?) {
    precondition(gradient.map { $0.shape == shape } ?? true, "a gradient of another shape")
    self.gradient = gradient
  }

  /// Forgets the gradient, before the next step.
  public func clearGradient() {
    gradient = nil
  }

  /// Replaces the value by another one of the same shape.
  ///
  /// - Parameter value: The new value.
  /// - Throws: ``ShapeError`` if the shapes differ.
  public func load(_ value: Tensor) throws(ShapeError) {
    guard value.shape == shape else {
      throw ShapeError("load", expected: "a value of shape \(shape)", got: "\(value.shape)")
    }
    self.value = value.detached.to(self.value.device)
  }

  /// Replaces the value by another one of the same shape, on the same device.
  package func setValue(_ value: Tensor) {
    precondition(value.shape == shape, "a value of another shape")
    self.value = value
  }

  /// Replaces the elements.
  ///
  /// - Parameter elements: As many as the value has, in row-major order.
  package func load(elements: [Float]) {
    value = Tensor(elements, shape: shape).to(value.device)
  }

  /// Changes the value in place, without changing copies of it.
  package func update(_ change: (Tensor) -> Void) {
    value.makeUnique()
    change(value)
  }

  /// Moves the value to a device. The gradient is forgotten.
  package func move(to device: Device) {
    value = value.to(device)
    gradient = nil
  }
}
