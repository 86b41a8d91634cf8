import Foundation
import Kernels
import Testing

@Suite(.serialized)
struct ElementwiseTests {
  static let counts = [1, 2, 3, 17, 100, 70_001, 600_000]

  @Test(arguments: KernelSet.supported, counts)
  func agreeWithTheDefinitions(_ set: KernelSet, count: Int) {
    let (a, b) = (numbers(count), numbers(count, seed: 2))
    let rule = DropoutRule(probability: 0.25, seed: 7)
    let results = withThreadCounts(set) {
      var y = [[Float]](repeating: numbers(count, seed: 3), count: 5)
      relu(x: a, y: &y[0], count: count)
      reluGradient(dy: b, y: a, dx: &y[1], count: count)
      add(a, b, y: &y[2], count: count)
      dropout(x: a, y: &y[3], count: count, rule)
      add(a, b, activation: .relu, y: &y[4], count: count)
      return y
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    #expect(results[0][0] == a.map { max($0, 0) })
    #expect(results[0][1] == zip(a, b).map { $0 > 0 ? $1 : 0 })
    #expect(results[0][2] == zip(a, b).map { $0 + $1 })
    #expect(results[0][4] == zip(a, b).map { max($0 + $1, 0) })
    #expect(results[0][3] == a.indices.map { rule.keeps($0) ? a[$0] * rule.scale : 0 })
  }

  @Test(arguments: KernelSet.supported)
  func reluOfNaNIsNaN(_ set: KernelSet) {
    var y: [Float] = [0, 0]
    KernelSet.$current.withValue(set) { relu(x: [.nan, -1], y: &y, count: 2) }
    #expect(y[0].isNaN && y[1] == 0)
  }

  @Test(arguments: KernelSet.supported, UnaryOperation.allCases)
  func functionsAndTheirDerivativesAgreeWithTheDefinitions(
    _ set: KernelSet, _ operation: UnaryOperation
  ) {
    for count in [1, 3, 17, 40_001] {
      let isPositive = operation == .log || operation == .sqrt
      let x = numbers(count).map { isPositive ? abs($0) + 0.1 : $0 * 2 }
      let dy = numbers(count, seed: 2)
      let results = withThreadCounts(set) {
        var (y, dx) = (dy, dy)
        unary(operation, x: x, y: &y, count: count)
        unaryGradient(operation, dy: dy, x: x, y: y, dx: &dx, count: count)
        return [y, dx]
      }
      for other in results.dropFirst() { #expect(other == results[0]) }
      let y = x.map { Float(definition(operation, Double($0))) }
      let dx = zip(dy, x).map { dy, x in
        let (up, down) = (Double(x) + 1e-5, Double(x) - 1e-5)
        return Float(
          Double(dy) * (definition(operation, up) - definition(operation, down)) / 2e-5)
      }
      #expect(relativeError(results[0][0], y) < 1e-6)
      #expect(relativeError(results[0][1], dx) < 1e-5)
    }
  }

  private func definition(_ operation: UnaryOperation, _ x: Double) -> Double {
    switch operation {
    case .negate: -x
    case .absolute: abs(x)
    case .exp: exp(x)
    case .log: log(x)
    case .sqrt: x.squareRoot()
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
    case .silu: x / (1 + exp(-x))
    case .relu: max(x, 0)
    }
  }

  @Test func functionsReachTheirLimitsAndKeepNaN() {
    let x: [Float] = [-.infinity, -200, 0, 200, .infinity, .nan]
    var y = x
    for operation in UnaryOperation.allCases {
      unary(operation, x: x, y: &y, count: x.count)
      #expect(y[5].isNaN, "\(operation)")
    }
    unary(.sigmoid, x: x, y: &y, count: x.count)
    #expect(Array(y.prefix(5)) == [0, 0, 0.5, 1, 1])
    unary(.tanh, x: x, y: &y, count: x.count)
    #expect(Array(y.prefix(5)) == [-1, -1, 0, 1, 1])
    var dx = x
    unaryGradient(.absolute, dy: [1, 1, 1, 1, 1, 1], x: x, y: x, dx: &dx, count: x.count)
    #expect(Array(dx[1...3]) == [-1, 0, 1] && dx[5].isNaN)
  }

  @Test(arguments: KernelSet.supported, [(1, 5, 3), (3, 49, 20), (2, 6, 64), (17, 1, 33)])
  func dropoutDoesNotDependOnTheOrderInMemory(
    _ set: KernelSet, extents: (n: Int, pixels: Int, channels: Int)
  ) {
    let (n, pixels, channels) = extents
    let x = numbers(n * pixels * channels)
    var (plain, last) = (x, x)
    KernelSet.$current.withValue(set) {
      dropout(x: x, y: &plain, count: x.count, DropoutRule(probability: 0.5, seed: 3))
      dropoutChannelsLast(
        x: channelsLast(x, n: n, c: channels, pixels: pixels), y: &last,
        n: n, pixels: pixels, channels: channels, DropoutRule(probability: 0.5, seed: 3))
    }
    #expect(channelsFirst(last, n: n, c: channels, pixels: pixels) == plain)
  }

  @Test(arguments: KernelSet.supported)
  func probabilityOneDropsEverything(_ set: KernelSet) {
    var y = numbers(1000)
    KernelSet.$current.withValue(set) {
      dropout(x: numbers(1000), y: &y, count: 1000, DropoutRule(probability: 1, seed: 3))
    }
    #expect(y.allSatisfy { $0 == 0 })
  }
}
