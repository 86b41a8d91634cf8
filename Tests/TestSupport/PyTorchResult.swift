import Lab
import Testing

/// The result and the gradients that PyTorch 2.15 computes for an operation:
///
/// ```python
/// inputs = [pattern(*shape).requires_grad_() for shape in shapes]
/// y = f(*inputs)
/// (y * pattern(*y.shape, step=3)).sum().backward()
/// gradients = [x.grad for x in inputs]
/// ```
package struct PyTorchResult: Sendable, CustomTestStringConvertible {
  package typealias Operation = @Sendable ([Tensor]) throws(ShapeError) -> Tensor

  /// The function `f` in Python.
  package let python: String
  package let shapes: [[Int]]
  package let shape: [Int]
  package let y: [Float]
  package let gradients: [[Float]]
  package let function: Operation

  package init(
    _ python: String, _ shapes: [[Int]], shape: [Int], _ y: [Float], _ gradients: [[Float]],
    _ function: @escaping Operation
  ) {
    (self.python, self.shapes, self.shape) = (python, shapes, shape)
    (self.y, self.gradients, self.function) = (y, gradients, function)
  }

  package var testDescription: String { python }

  package func check() throws {
    let found = try Lab_gradients(of: shapes.map { pattern($0) }, function)
    #expect(found.y.shape == shape)
    try expectClose(found.y, y)
    #expect(found.gradients.count == gradients.count)
    for (gradient, expected) in zip(found.gradients, gradients) {
      try expectClose(gradient, expected)
    }
  }
}

private func Lab_gradients(
  of inputs: [Tensor], _ function: ([Tensor]) throws(ShapeError) -> Tensor
) throws -> (y: Tensor, gradients: [Tensor?]) {
  try gradients(of: inputs, function)
}
