import Lab
import Testing

struct LayerTests {
  private struct Nested: Layer {
    let first = Linear(2, 3)
    let blocks: [any Layer] = [Linear(3, 3), MaxPool2d(2), Linear(3, 1)]
    let optional: Linear? = Linear(1, 1)
    let missing: Linear? = nil
    let norm = BatchNorm2d(2)
    let size = 7

    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }

  @Test func pathsAreTheNamesOfTheProperties() {
    #expect(
      Nested().namedParameters.map(\.path) == [
        "first.weight", "first.bias", "blocks.0.weight", "blocks.0.bias", "blocks.2.weight",
        "blocks.2.bias", "optional.weight", "optional.bias", "norm.weight", "norm.bias",
      ])
    #expect(Nested().parameterCount == 2 * 3 + 3 + 9 + 3 + 3 + 1 + 2 + 4)
    #expect(Nested().namedStatistics.map(\.path) == ["norm"])
    #expect(BatchNorm2d(2).namedStatistics.map(\.path) == [""])
  }
}
