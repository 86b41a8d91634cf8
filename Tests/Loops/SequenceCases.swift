import KernelInterface

/// The loops of LSTMs, softmax and connectionist temporal classification.
func sequences<L: VectorLoops>(_ loops: L.Type, _ record: inout Record) {
  for (items, hidden, units) in [(1, 1, 1), (2, 9, 6), (3, 8, 8), (2, 23, 19)] {
    for isFirst in [true, false] { lstm(loops, &record, items, hidden, units, isFirst) }
  }
  for count in [1, 3, 4, 5, 10, 83, 130] {
    for scale in [1, 30, 200] as [Float] {
      var x = numbers(count, seed: 1).map { $0 * scale }
      // A NaN that is not the first: the first one is the largest, with which all is NaN.
      for hasNaN in count > 2 ? [false, true] : [false] {
        if hasNaN { x[count / 2] = .nan }
        let memory = Memory(x)
        let (largest, sum) = loops.sumExponentials(memory.pointer, count: count)
        record.add("sumExponentials", hasNaN ? [] : [largest], within: 0)
        record.add("sumExponentials", [sum], within: 1e-6)
      }
    }
    let (dy, dx) = (Memory(count, seed: 2), Memory(undefined: count))
    let y = Memory(numbers(count, seed: 3).map { $0 * 45 - 45 })
    loops.logSoftmaxGradient(dy.pointer, y: y.pointer, into: dx.pointer, count: count)
    record.add("logSoftmaxGradient", dx, within: 1e-6)
  }
  for vectors in [1, 2, 5] { states(loops, &record, vectors * loops.vectorLanes) }
}

private func lstm<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ items: Int, _ hidden: Int, _ units: Int,
  _ isEnd: Bool
) {
  // Some units in the middle of the rows.
  let first = (hidden - units) / 2
  let gates = Memory(numbers(items * 4 * hidden, seed: 4).map { $0 * $0 * $0 * 30 })
  let before = Memory(numbers(items * hidden, seed: 5).map { $0 * 3 })
  let cell = Memory(items * hidden, seed: 6)
  let step = LSTMStep(
    gates: gates.pointer + first,
    cellBefore: isEnd ? nil : UnsafePointer(before.pointer + first),
    cell: cell.pointer + first, items: items, hidden: hidden, units: units)
  let stride = 2 * hidden + 1
  let y = Memory(items * stride, seed: 7)
  loops.lstmGates(step, into: y.pointer + first, stride: stride)
  for memory in [gates, cell, y] { record.add("lstmGates", memory, within: 1e-6) }

  let (dy, recurrent) = (Memory(items * stride, seed: 8), Memory(items * hidden, seed: 9))
  let dCell = Memory(items * hidden, seed: 10)
  // Other gates: near 0 and 1 the gradients are nearly 0, and depend on the gates' last digits.
  let values = numbers(gates.count, seed: 15)
  for index in 0..<gates.count {
    let isCandidate = index / hidden % 4 == 2
    gates.pointer[index] = isCandidate ? values[index] : values[index] * 0.5 + 0.5
  }
  loops.lstmGatesGradient(
    step, dy: dy.pointer + first, stride: stride,
    recurrent: isEnd ? nil : UnsafePointer(recurrent.pointer + first),
    dCell: dCell.pointer + first)
  for memory in [gates, dCell] { record.add("lstmGatesGradient", memory, within: 1e-6) }
}

private func states<L: VectorLoops>(_ loops: L.Type, _ record: inout Record, _ count: Int) {
  // Two more states on both sides are read.
  let all = numbers(count + 4, seed: 11).map { Double($0) * 3 - 1000 }
  var unreachable = all
  for index in all.indices where index % 3 != 1 { unreachable[index] = -1e30 }
  let x = Memory(numbers(count, seed: 12).map { $0 * 4 - 4 })
  let skips = Memory<Float>((0..<count).map { $0 % 4 == 1 ? 0 : -1e30 })
  for before in [all, unreachable] {
    for neighbor in [-1, 1] {
      let memory = Memory(before)
      let after = Memory([Double](repeating: .nan, count: count))
      loops.advanceStates(
        memory.pointer + 2, neighbor: neighbor, skips: skips.pointer, x.pointer,
        into: after.pointer, count: count)
      // Of the logarithms of probabilities: what is added in a step is in single precision.
      let finite = Memory(after.values.map { $0 < -1e29 ? $0 : $0 + 1000 })
      record.add("advanceStates", finite, within: 3e-7, scale: 1)
      record.addIntact("advanceStates", after)
    }
  }
  let alpha = Memory(numbers(count, seed: 13).map { Double($0) * 50 - 500 })
  let beta = Memory(numbers(count, seed: 14).map { Double($0) * 50 - 500 })
  alpha.pointer[0] = -1e30
  let y = Memory(undefined: count)
  loops.stateProbabilities(
    alpha.pointer, beta.pointer, x.pointer, total: -990, into: y.pointer, count: count)
  // The exponent, of up to 88, is rounded to single precision.
  record.add("stateProbabilities", y, within: 4e-6, scale: 1e-30)
}
