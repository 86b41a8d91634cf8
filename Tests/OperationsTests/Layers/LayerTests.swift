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

  private struct Pair {
    let linear = Linear(2, 1)
    let name = "pair"
  }

  private enum Choice {
    case one(Linear)
    case none
  }

  private class Base: Layer {
    let base = Linear(1, 1)
    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }

  private final class Derived: Base {
    let derived = Linear(1, 1)
    weak var parent: Base?
  }

  private struct Containers: Layer {
    let tuple = (Linear(1, 1), second: Linear(1, 1))
    let heads = ["b": Linear(1, 1), "a": Linear(1, 1)]
    let pair = Pair()
    let choice = Choice.one(Linear(1, 1))
    let derived = Derived()
    let nested = [[Linear(1, 1)], []]
    let numbers = [Float](repeating: 1, count: 10)

    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }

  @Test func parametersAreFoundInEveryContainer() {
    let containers = Containers()
    containers.derived.parent = containers.derived
    let paths = containers.namedParameters.map(\.path).filter { $0.hasSuffix("weight") }
    #expect(
      paths == [
        "tuple.0.weight", "tuple.second.weight", "heads.a.weight", "heads.b.weight",
        "pair.linear.weight", "choice.weight", "derived.base.weight", "derived.derived.weight",
        "nested.0.0.weight",
      ])
  }

  private struct Tied: Layer {
    let first: Linear
    let second: Linear

    init() {
      first = Linear(2, 2)
      second = first
    }

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try second(first(x)) }
  }

  @Test func sharedParametersAppearOnce() {
    #expect(Tied().namedParameters.map(\.path) == ["first.weight", "first.bias"])
  }

  private struct Dropping: Layer {
    let own = Dropout(0.5, generator: Generator(seed: 3))
    let shared = Dropout(0.5)

    func callAsFunction(_ x: Tensor) -> Tensor { shared(own(x)) }
  }

  @Test func generatorsOfLayersAreFoundButTheSharedOne() {
    #expect(Dropping().namedGenerators.map(\.path) == ["own.generator"])
  }
}
