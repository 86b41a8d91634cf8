import Foundation
import Kernels
import Testing

/// Against the definition in double precision, whose gradients are central differences.
@Suite(.serialized)
struct LSTMTests {
  /// Steps, items, inputs and units: less than a vector, more than a panel, more than the terms that
  /// are added in one pass, and enough to be worth several threads.
  static let sizes = [
    (1, 1, 1, 1), (3, 2, 5, 3), (2, 7, 300, 20), (4, 3, 2, 70), (3, 1, 17, 129), (2, 40, 100, 270),
  ]

  @Test(arguments: KernelSet.supported, sizes)
  func followsTheDefinition(_ set: KernelSet, size: (Int, Int, Int, Int)) {
    for isReversed in [[false], [true], [false, true]] {
      let problem = Problem(size, isReversed)
      let results = withThreadCounts(set) { problem.run() }
      for other in results.dropFirst() {
        let different = other.indices.filter { other[$0] != results[0][$0] }
        #expect(different.isEmpty)
      }
      let found = results[0]
      let y = problem.outputs(problem.arrays)
      #expect(relativeError(found[0], y.map { Float($0) }) < 2e-6)
      // In a random direction of each array.
      for (index, gradient) in found.dropFirst().enumerated() {
        let direction = numbers(gradient.count, seed: UInt64(index + 9))
        let slope = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let expected = problem.slope(index, direction)
        let scale = zip(gradient, direction).reduce(0.0) { $0 + abs(Double($1.0) * Double($1.1)) }
        #expect(abs(slope - expected) <= 1e-5 * scale + 1e-6, "array \(index)")
      }
      // Without the memory for gradients.
      let alone = KernelSet.$current.withValue(set) { problem.run(saves: false)[0] }
      #expect(alone.elementsEqual(found[0]))
    }
  }
}

private struct Problem {
  let e: LSTMExtents
  /// x, and of each direction the weights and the biases.
  let arrays: [[Float]]
  let dy: [Float]

  init(_ size: (Int, Int, Int, Int), _ isReversed: [Bool]) {
    let (steps, items, inputs, hidden) = size
    e = LSTMExtents(
      steps: steps, items: items, inputs: inputs, hidden: hidden, isReversed: isReversed)
    var counts = [steps * items * inputs]
    for _ in isReversed {
      counts += [4 * hidden * inputs, 4 * hidden * hidden, 4 * hidden, 4 * hidden]
    }
    let scale = 2 / Float(max(inputs, hidden)).squareRoot()
    arrays = counts.enumerated().map { index, count in
      numbers(count, seed: UInt64(index + 1)).map { index == 0 ? $0 : $0 * scale }
    }
    dy = numbers(steps * items * e.width, seed: 99)
  }

  /// The result and the gradients of all arrays.
  func run(saves: Bool = true) -> [[Float]] {
    let buffers = arrays.map { NumberBuffer($0) }
    let gradients = arrays.map { NumberBuffer($0) }
    let y = NumberBuffer(dy)
    let gates = NumberBuffer([Float](repeating: .nan, count: e.gateCount))
    let cells = NumberBuffer([Float](repeating: .nan, count: e.cellCount))
    // Below, only their pointers are used.
    defer { withExtendedLifetime((buffers, gates, cells)) {} }
    let states = LSTMStates(gates: gates.pointer, cells: cells.pointer)
    let weights = (0..<e.directions).map { direction in
      let own = buffers[(1 + 4 * direction)...].prefix(4).map { UnsafePointer($0.pointer) }
      return LSTMWeights(ih: own[0], hh: own[1], biases: [own[2], own[3]])
    }
    LSTMLayer.forward(
      x: buffers[0].pointer, weights, y: y.pointer, states: saves ? states : nil, e)
    guard saves else { return [y.values] }
    let outputs = (0..<e.directions).map { direction in
      let own = gradients[(1 + 4 * direction)...].prefix(4).map(\.pointer)
      return LSTMWeights(ih: own[0], hh: own[1], biases: [own[2], own[3]])
    }
    LSTMLayer.gradients(
      x: buffers[0].pointer, weights, y: y.pointer, dy: dy, states: states,
      dx: gradients[0].pointer, outputs, e)
    return [y.values] + gradients.map(\.values)
  }

  func outputs(_ arrays: [[Float]], _ changed: Int? = nil, by change: [Double] = []) -> [Double] {
    var all = arrays.map { $0.map { Double($0) } }
    if let changed { all[changed] = zip(all[changed], change).map { $0 + $1 } }
    var y = [Double](repeating: 0, count: dy.count)
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    for (direction, isReversed) in e.isReversed.enumerated() {
      let own = Array(all[(1 + 4 * direction)...].prefix(4))
      for item in 0..<e.items {
        var (h, c) = (
          [Double](repeating: 0, count: e.hidden), [Double](repeating: 0, count: e.hidden)
        )
        for index in 0..<e.steps {
          let t = isReversed ? e.steps - 1 - index : index
          let x = all[0][(t * e.items + item) * e.inputs..<(t * e.items + item + 1) * e.inputs]
          let sums = (0..<4 * e.hidden).map { row -> Double in
            let (ih, hh) = (own[0][(row * e.inputs)...], own[1][(row * e.hidden)...])
            let products = zip(x, ih).reduce(0) { $0 + $1.0 * $1.1 }
            return zip(h, hh).reduce(products + own[2][row] + own[3][row]) { $0 + $1.0 * $1.1 }
          }
          for unit in 0..<e.hidden {
            let gates = (0..<4).map { sums[$0 * e.hidden + unit] }
            c[unit] = sigmoid(gates[1]) * c[unit] + sigmoid(gates[0]) * tanh(gates[2])
            h[unit] = sigmoid(gates[3]) * tanh(c[unit])
            y[(t * e.items + item) * e.width + direction * e.hidden + unit] = h[unit]
          }
        }
      }
    }
    return y
  }

  /// The slope of `Σ y dy` when an array changes in a direction.
  func slope(_ array: Int, _ direction: [Float]) -> Double {
    let length = direction.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    let step = 1e-4 / length
    let sums = [step, -step].map { step in
      zip(outputs(arrays, array, by: direction.map { Double($0) * step }), dy)
        .reduce(0.0) { $0 + $1.0 * Double($1.1) }
    }
    return (sums[0] - sums[1]) / (2 * step)
  }
}
