import KernelInterface

/// Less than a vector, whole vectors, and both.
private let counts = [1, 2, 3, 4, 6, 8, 15, 16, 33, 102]

/// Elementwise loops.
func elementwise<L: VectorLoops>(_ loops: L.Type, _ record: inout Record) {
  for count in counts {
    let (a, b) = (Memory(special(count, seed: 1)), Memory(special(count, seed: 2)))
    let y = Memory(undefined: count)
    loops.relu(a.pointer, into: y.pointer, count: count)
    record.add("relu", y, within: 0)
    loops.reluGradient(a.pointer, y: b.pointer, into: y.pointer, count: count)
    record.add("reluGradient", y, within: 0)
    for activation in [Activation.none, .relu] {
      loops.add(a.pointer, b.pointer, activation: activation, into: y.pointer, count: count)
      record.add("add", y, within: 0)
    }
    for (first, step) in [(0, 1), (7, 1), (1 << 33, 1), (5, 3), (99, 784)] {
      let x = Memory(count, seed: 3)
      let rule = DropoutRule(probability: 0.4, seed: UInt64(count))
      loops.dropout(x.pointer, into: y.pointer, count: count, rule, first: first, step: step)
      record.add("dropout", y, within: 0)
    }
    adam(loops, &record, count)
  }
  for count in [1, 7, 16, 38] {
    for (aStep, bStep) in [(1, 1), (1, 0), (0, 1), (0, 0), (2, 1), (1, 3)] {
      binary(loops, &record, count, aStep, bStep)
    }
  }
}

private func binary<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ count: Int, _ aStep: Int, _ bStep: Int
) {
  let a = Memory(special((count - 1) * aStep + 1, seed: 4))
  let b = Memory(special((count - 1) * bStep + 1, seed: 5))
  let (dy, y) = (Memory(count, seed: 6), Memory(undefined: count))
  for operation in BinaryOperation.allCases {
    loops.binary(
      operation, a.pointer, step: aStep, b.pointer, step: bStep, into: y.pointer, count: count)
    record.add("binary", y, within: 0)
  }
  // Few different numbers, so that some are equal, and none is 0.
  for index in 0..<a.count { a.pointer[index] = (Float(index % 5) - 2) * 0.5 + 0.25 }
  for index in 0..<b.count { b.pointer[index] = (Float(index % 3) - 1) * 0.5 + 0.25 }
  for operation in BinaryOperation.allCases {
    for operand in [Operand.left, .right] {
      loops.binaryGradient(
        operation, of: operand, dy: dy.pointer, a.pointer, step: aStep, b.pointer, step: bStep,
        into: y.pointer, count: count)
      record.add("binaryGradient", y, within: 1e-6)
    }
  }
}

private func adam<L: VectorLoops>(_ loops: L.Type, _ record: inout Record, _ count: Int) {
  for (decay, keep) in [(0, 1), (0.1, 1), (0, 0.999)] as [(Float, Float)] {
    let rule = AdamRule(
      stepSize: 0.02, correction: 0.5, decay1: 0.1, decay2: 0.001, keep2: 0.999, epsilon: 1e-8,
      decay: decay, keep: keep)
    let (value, gradient) = (Memory(count, seed: 7), Memory(count, seed: 8))
    let moment1 = Memory(count, seed: 9)
    let moment2 = Memory(numbers(count, seed: 10).map { $0 * $0 })
    loops.adamStep(
      value: value.pointer, gradient: gradient.pointer, moment1: moment1.pointer,
      moment2: moment2.pointer, count: count, rule)
    for memory in [value, moment1, moment2] { record.add("adamStep", memory, within: 1e-6) }
  }
}

/// Numbers with many that are equal, and with zeros of both signs, infinities and NaN.
private func special(_ count: Int, seed: UInt64) -> [Float] {
  let (plain, rare) = (numbers(count, seed: seed), numbers(count, seed: seed + 100))
  return plain.indices.map { index in
    switch rare[index] {
    case 0.9...: .nan
    case 0.85..<0.9: .infinity
    case 0.8..<0.85: -.infinity
    case 0.7..<0.8: 0
    case 0.6..<0.7: -0.0
    case 0..<0.6: (plain[index] * 4).rounded()
    default: plain[index]
    }
  }
}
