import Kernels

// To be replaced.
extension OpenCLBackend {
  package func add(_ a: Tensor, _ b: Tensor, _ activation: Activation) -> Tensor { fatalError("missing") }
  package func binary(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor { fatalError("missing") }
  package func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: Tensor, _ a: Tensor, _ b: Tensor
  ) -> Tensor { fatalError("missing") }
  package func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor { fatalError("missing") }
  package func selectGradient(
    of operand: Operand, _ condition: Tensor, dy: Tensor, shape: [Int]
  ) -> Tensor { fatalError("missing") }
  package func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor { fatalError("missing") }
  package func unaryGradient(_ operation: UnaryOperation, dy: Tensor, x: Tensor, y: Tensor) -> Tensor { fatalError("missing") }
  package func sum(_ x: Tensor, to shape: [Int]) -> Tensor { fatalError("missing") }
  package func activation(_ activation: Activation, _ x: Tensor) -> Tensor { fatalError("missing") }
  package func activationGradient(_ activation: Activation, y: Tensor, dy: Tensor) -> Tensor { fatalError("missing") }
  package func dropout(_ x: Tensor, _ rule: DropoutRule) -> Tensor { fatalError("missing") }
  package func sum(_ x: Tensor, axes: [Int], divisor: Double) -> Tensor { fatalError("missing") }
  package func sumGradient(dy: Tensor, shape: [Int], axes: [Int], divisor: Double) -> Tensor { fatalError("missing") }
  package func maxima(_ x: Tensor, axes: [Int]) -> (y: Tensor, saved: AnyObject?) { fatalError("missing") }
  package func maximaGradient(dy: Tensor, shape: [Int], axes: [Int], saved: AnyObject?) -> Tensor { fatalError("missing") }
  package func argmax(_ x: Tensor) -> [Int] { fatalError("missing") }
  package func countCorrect(_ logits: Tensor, labels: [Int]) -> Tensor { fatalError("missing") }
  package func strided(_ x: Tensor, shape: [Int], strides: [Int], offset: Int) -> Tensor { fatalError("missing") }
  package func assemble(_ parts: [StridedPart], shape: [Int]) -> Tensor { fatalError("missing") }
  package func gatherRows(_ table: Tensor, _ indices: [Int], shape: [Int]) -> Tensor { fatalError("missing") }
  package func scatterRows(dy: Tensor, _ indices: [Int], shape: [Int]) -> Tensor { fatalError("missing") }
  package func adamStep(
    _ value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, _ step: AdamStep) { fatalError("missing") }
  package func gradientDescentStep(
    _ value: Tensor, gradient: Tensor, velocity: Tensor?, _ step: GradientDescentStep) { fatalError("missing") }
}
