import Lab
import Testing

/// The sum of the elements of x, each times its weight: unlike the plain sum it tells elements
/// apart.
package func weightedSum(_ x: Tensor, _ weights: Tensor) -> Tensor {
  let total = zip(x.elements, weights.elements).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
  return Tensor([Float(total)], shape: []).recorded(from: [x]) { dy in
    x.receive(Tensor(weights.elements.map { $0 * dy.item }, shape: x.shape))
  }
}

/// The gradients, by the tape, of `weightedSum(function(inputs), weights)`.
package func gradients(
  of inputs: [Tensor], weights: Tensor? = nil,
  _ function: ([Tensor]) throws(ShapeError) -> Tensor
) throws -> (y: Tensor, gradients: [Tensor?]) {
  let tape = Tape()
  let variables = inputs.map(tape.variable)
  let y = try function(variables)
  try tape.backward(weightedSum(y, weights ?? pattern(y.shape, step: 3)))
  return (y.detached, variables.map(tape.gradient))
}

/// Compares the tape's gradients with central differences, for every element of every input.
package func checkGradients(
  of inputs: [Tensor], step: Float = 1.0 / 64, tolerance: Float = 2e-3,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ function: ([Tensor]) throws(ShapeError) -> Tensor
) throws {
  let y = try function(inputs)
  let weights = pattern(y.shape, step: 3)
  let found = try gradients(of: inputs, weights: weights, function).gradients
  for (which, input) in inputs.enumerated() {
    var differences: [Float] = []
    for element in 0..<input.count {
      let losses = try [step, -step].map { change in
        var elements = input.elements
        elements[element] += change
        var changed = inputs
        changed[which] = Tensor(elements, shape: input.shape)
        return try weightedSum(function(changed), weights).item
      }
      differences.append((losses[0] - losses[1]) / (2 * step))
    }
    try expectClose(
      found[which], differences, tolerance: tolerance, sourceLocation: sourceLocation)
  }
}
