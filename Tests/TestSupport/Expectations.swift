import Lab
import Testing

/// Numbers that Swift and Python make exactly alike, small multiples of 1/4:
///
/// ```python
/// def pattern(*shape, step=7, modulus=11):
///     n = math.prod(shape)
///     return (((torch.arange(n) * step) % modulus - modulus // 2) / 4).reshape(shape)
/// ```
package func pattern(_ shape: [Int], step: Int = 7, modulus: Int = 11) -> Tensor {
  let elements = (0..<shape.reduce(1, *)).map {
    Float($0 * step % modulus - modulus / 2) / 4
  }
  return Tensor(elements, shape: shape)
}

/// Expects the tensor's elements to be within `tolerance` of the given ones, relative to the
/// largest of them (or to 1, if that is larger).
package func expectClose(
  _ tensor: Tensor?, _ expected: [Float], tolerance: Float = 2e-6,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let tensor = try #require(tensor, sourceLocation: sourceLocation)
  try #require(tensor.count == expected.count, sourceLocation: sourceLocation)
  let scale = expected.reduce(1) { max($0, abs($1)) }
  for (index, (got, wanted)) in zip(tensor.elements, expected).enumerated() {
    #expect(
      abs(got - wanted) <= tolerance * scale, "element \(index): \(got), expected \(wanted)",
      sourceLocation: sourceLocation)
  }
}

/// Expects a ``ShapeError`` with exactly this text.
package func expectShapeError<Result>(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws(ShapeError) -> Result
) {
  do throws(ShapeError) {
    _ = try body()
    Issue.record("nothing was thrown, expected: \(text)", sourceLocation: sourceLocation)
  } catch {
    #expect(error.description == text, sourceLocation: sourceLocation)
  }
}

/// Expects a ``DataError`` with exactly this text.
package func expectDataError(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  let error = #expect(throws: DataError.self, sourceLocation: sourceLocation) { try body() }
  #expect(error?.description == text, sourceLocation: sourceLocation)
}

/// Runs `body` with a shared generator of its own: other tests do not draw from it.
package func seeded<Result>(_ seed: UInt64, _ body: () throws -> Result) rethrows -> Result {
  try Generator.$shared.withValue(Generator(seed: seed), operation: body)
}
