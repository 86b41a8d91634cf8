import KernelInterface

/// The extents of a layer of LSTMs: T steps, N items, I inputs, and H units in each of D directions.
public struct LSTMExtents: Sendable, Equatable {
  public let steps, items, inputs, hidden: Int
  /// For each direction, whether it goes from the last step to the first.
  public let isReversed: [Bool]

  public init(steps: Int, items: Int, inputs: Int, hidden: Int, isReversed: [Bool]) {
    (self.steps, self.items) = (steps, items)
    (self.inputs, self.hidden, self.isReversed) = (inputs, hidden, isReversed)
  }

  /// D, and the elements of a row of the result, DH.
  public var directions: Int { isReversed.count }
  public var width: Int { directions * hidden }

  /// The floats of all gates, and of all cells.
  public var gateCount: Int { 4 * cellCount }
  public var cellCount: Int { directions * steps * stepCells }

  /// Cells of a step in one direction.
  fileprivate var stepCells: Int { items * hidden }

  /// The position in time of a direction's `index`-th step.
  fileprivate func time(_ index: Int, _ direction: Int) -> Int {
    isReversed[direction] ? steps - 1 - index : index
  }

  /// The position of its outputs in the result.
  fileprivate func outputs(_ index: Int, _ direction: Int) -> Int {
    time(index, direction) * items * width + direction * hidden
  }
}

/// The weights of one direction, or their gradients. The rows of the gates input, forget, cell and
/// output follow each other.
public struct LSTMWeights<Pointer> {
  /// 4H × I and 4H × H.
  let ih, hh: Pointer
  /// 4H each: numbers that are added to the gates. They have the same gradient, which is there once.
  let biases: [Pointer]

  public init(ih: Pointer, hh: Pointer, biases: [Pointer]) {
    (self.ih, self.hh, self.biases) = (ih, hh, biases)
  }
}

/// The gates and cells of all steps: D × T × N × 4H and D × T × N × H. The gradients of the gates are
/// written over the gates.
public struct LSTMStates {
  let gates, cells: UnsafeMutablePointer<Float>

  public init(gates: UnsafeMutablePointer<Float>, cells: UnsafeMutablePointer<Float>) {
    (self.gates, self.cells) = (gates, cells)
  }
}

/// Layers of LSTMs in one or more directions.
///
/// Each step is one parallel region over blocks of units. For its units, a thread computes the sums of
/// all four gates, from weights that have been packed once, and then the units' cells while these sums
/// are in its caches. Blocks follow from the extents alone, so results do not depend on the number of
/// threads.
///
/// Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the
/// forget gate of Gers, Schmidhuber and Cummins (2000).
public enum LSTMLayer {
  /// - Parameters:
  ///   - x: T × N × I
  ///   - weights: Of each direction.
  ///   - y: T × N × DH
  ///   - states: The memory for what the gradients need, or nil.
  public static func forward(
    x: UnsafePointer<Float>, _ weights: [LSTMWeights<UnsafePointer<Float>>],
    y: UnsafeMutablePointer<Float>, states: LSTMStates?, _ e: LSTMExtents
  ) {
    let loops = KernelSet.current.loops
    let packed = PackedGates(weights, e, loops)
    let arrays = Arrays(states, e)
    let blocks = Blocks(e.hidden)
    let grain = blocks.grain(4 * e.items * (e.inputs + e.hidden))
    for index in 0..<e.steps {
      parallel(count: e.directions * blocks.count, grain: grain) { range in
        let scratch = Scratch(count: loops.scratchCount)
        for part in range {
          let (direction, block) = part.quotientAndRemainder(dividingBy: blocks.count)
          let units = blocks[block]
          let step = arrays.step(index, direction, units)
          let input = x + e.time(index, direction) * e.items * e.inputs
          for gate in 0..<4 {
            let weights = packed.weights(part, gate)
            let sums = step.gates + gate * e.hidden
            loops.multiplyPacked(
              StridedMatrix(input, row: e.inputs, column: 1), weights.ih, into: sums,
              stride: 4 * e.hidden, m: e.items, n: units.count, k: e.inputs, start: weights.bias,
              scratch: scratch.pointer)
            guard index > 0 else { continue }
            loops.multiplyPacked(
              StridedMatrix(
                y + e.outputs(index - 1, direction), row: e.width, column: 1), weights.hh,
              into: sums, stride: 4 * e.hidden, m: e.items, n: units.count, k: e.hidden,
              start: nil, scratch: scratch.pointer)
          }
          loops.lstmGates(
            step, into: y + e.outputs(index, direction) + units.lowerBound, stride: e.width)
        }
      }
    }
  }

  /// The gradients of ``forward(x:_:y:states:_:)``.
  ///
  /// - Parameters:
  ///   - y: The result.
  ///   - dy: The gradient of the result.
  ///   - states: What the forward pass has written; its gates are overwritten.
  ///   - dx: T × N × I, or nil to skip it.
  ///   - gradients: The memory for the gradients of each direction's weights.
  public static func gradients(
    x: UnsafePointer<Float>, _ weights: [LSTMWeights<UnsafePointer<Float>>],
    y: UnsafePointer<Float>, dy: UnsafePointer<Float>, states: LSTMStates,
    dx: UnsafeMutablePointer<Float>?,
    _ gradients: [LSTMWeights<UnsafeMutablePointer<Float>>], _ e: LSTMExtents
  ) {
    let arrays = Arrays(states, e)
    stateGradients(weights, dy: dy, arrays, dx: dx, e)
    weightGradients(x: x, y: y, arrays, gradients, e)
  }

  /// Replaces the gates by the gradients of their sums, from the last step to the first, and computes
  /// the gradient of x.
  private static func stateGradients(
    _ weights: [LSTMWeights<UnsafePointer<Float>>], dy: UnsafePointer<Float>, _ arrays: Arrays,
    dx: UnsafeMutablePointer<Float>?, _ e: LSTMExtents
  ) {
    let loops = KernelSet.current.loops
    // The columns of a product with a step's gradients: the outputs of the step before it, then
    // its inputs.
    let (units, inputs) = (Blocks(e.hidden), Blocks(dx == nil ? 0 : e.inputs))
    let packed = PackedColumns(weights, units, inputs, e, loops)
    let zeros = Scratch(count: Blocks.size)
    zeros.pointer.update(repeating: 0, count: Blocks.size)
    // The gradients of the outputs through the next step, and of the cells.
    let memory = Scratch(count: 2 * e.directions * e.stepCells)
    // Those of x in each direction. The first one's are in place.
    let inputCount = e.steps * e.items * e.inputs
    let others = Scratch(count: dx == nil ? 0 : (e.directions - 1) * inputCount)
    let columns = units.count + inputs.count
    let grain = units.grain(4 * e.items * e.hidden)
    for index in (-1..<e.steps).reversed() {
      parallel(count: e.directions * columns, grain: grain) { range in
        let scratch = Scratch(count: loops.scratchCount)
        for part in range {
          let (direction, block) = part.quotientAndRemainder(dividingBy: columns)
          func multiply(into target: UnsafeMutablePointer<Float>, stride: Int, _ count: Int) {
            guard index + 1 < e.steps else { return }
            loops.multiplyPacked(
              StridedMatrix(
                arrays.gates(index + 1, direction), row: 4 * e.hidden, column: 1),
              packed.pointer(direction, block), into: target, stride: stride, m: e.items,
              n: count, k: 4 * e.hidden, start: zeros.pointer, scratch: scratch.pointer)
          }
          if block >= units.count {
            guard let dx, index + 1 < e.steps else { continue }
            let columns = inputs[block - units.count]
            let target = direction == 0 ? dx : others.pointer + (direction - 1) * inputCount
            multiply(
              into: target + e.time(index + 1, direction) * e.items * e.inputs
                + columns.lowerBound, stride: e.inputs, columns.count)
          } else if index >= 0 {
            let columns = units[block]
            let recurrent = memory.pointer + direction * e.stepCells + columns.lowerBound
            multiply(into: recurrent, stride: e.hidden, columns.count)
            loops.lstmGatesGradient(
              arrays.step(index, direction, columns),
              dy: dy + e.outputs(index, direction) + columns.lowerBound, stride: e.width,
              recurrent: index + 1 < e.steps ? UnsafePointer(recurrent) : nil,
              dCell: recurrent + e.directions * e.stepCells)
          }
        }
      }
    }
    guard let dx else { return }
    for direction in 1..<max(1, e.directions) {
      add(dx, others.pointer + (direction - 1) * inputCount, y: dx, count: inputCount)
    }
  }

  /// Computes the gradients of each direction's weights by one product: that of the gradients of the
  /// gates with the outputs of the step before, the inputs, and 1 for the biases.
  private static func weightGradients(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, _ arrays: Arrays,
    _ gradients: [LSTMWeights<UnsafeMutablePointer<Float>>], _ e: LSTMExtents
  ) {
    let loops = KernelSet.current.loops
    let (terms, n) = (e.steps * e.items, e.hidden + e.inputs + 1)
    let count = loops.packedCount(k: terms, n: n)
    let packed = Scratch(count: e.directions * count)
    let (depth, width) = (loops.packedDepth, loops.packedCount(k: 1, n: n))
    let parts = (terms + depth - 1) / depth
    parallel(count: e.directions * parts) { part in
      let (direction, block) = part.quotientAndRemainder(dividingBy: parts)
      let range = block * depth..<min(terms, (block + 1) * depth)
      let rows = Scratch(count: range.count * n)
      for term in range {
        let (row, (time, item)) = (
          rows.pointer + (term - range.lowerBound) * n,
          term.quotientAndRemainder(dividingBy: e.items)
        )
        let before = e.isReversed[direction] ? time + 1 : time - 1
        if (0..<e.steps).contains(before) {
          row.update(
            from: y + (before * e.items + item) * e.width + direction * e.hidden, count: e.hidden)
        } else {
          row.update(repeating: 0, count: e.hidden)
        }
        (row + e.hidden).update(from: x + term * e.inputs, count: e.inputs)
        row[n - 1] = 1
      }
      loops.pack(
        StridedMatrix(rows.pointer, row: n, column: 1), k: range.count, n: n,
        into: packed.pointer + direction * count + range.lowerBound * width)
    }
    let zeros = Scratch(count: width)
    zeros.pointer.update(repeating: 0, count: width)
    let blocks = (4 * e.hidden + rowsTogether - 1) / rowsTogether
    parallel(count: e.directions * blocks) { part in
      let (direction, block) = part.quotientAndRemainder(dividingBy: blocks)
      let rows = block * rowsTogether..<min(4 * e.hidden, (block + 1) * rowsTogether)
      let scratch = Scratch(count: loops.scratchCount)
      let sums = Scratch(count: rows.count * n)
      loops.multiplyPacked(
        StridedMatrix(
          arrays.allGates(direction) + rows.lowerBound, row: 1, column: 4 * e.hidden),
        UnsafePointer(packed.pointer + direction * count), into: sums.pointer, stride: n,
        m: rows.count, n: n, k: terms, start: zeros.pointer, scratch: scratch.pointer)
      let target = gradients[direction]
      for row in rows {
        let source = sums.pointer + (row - rows.lowerBound) * n
        (target.hh + row * e.hidden).update(from: source, count: e.hidden)
        (target.ih + row * e.inputs).update(from: source + e.hidden, count: e.inputs)
        for bias in target.biases { bias[row] = source[n - 1] }
      }
    }
  }

  /// Rows of a weight's gradient that a thread computes at a time.
  private static let rowsTogether = 132
}

/// Blocks of columns that a thread computes at a time: whole panels of packed products.
private struct Blocks {
  static let size = 64
  private let columns: Int

  init(_ columns: Int) { self.columns = columns }

  var count: Int { (columns + Self.size - 1) / Self.size }

  subscript(block: Int) -> Range<Int> {
    block * Self.size..<min(columns, (block + 1) * Self.size)
  }

  /// The number of blocks that are worth a thread.
  ///
  /// - Parameter work: The multiplications for each column.
  func grain(_ work: Int) -> Int { max(1, 4_000_000 / max(1, work * Self.size)) }
}

/// The gates and cells of a pass. Without gradients, there are those of one step only.
private struct Arrays {
  private let states: LSTMStates
  private let memory: Scratch?
  private let e: LSTMExtents

  init(_ states: LSTMStates?, _ e: LSTMExtents) {
    self.e = e
    if let states {
      (self.states, memory) = (states, nil)
    } else {
      let cells = e.directions * e.stepCells
      let memory = Scratch(count: 5 * cells)
      self.states = LSTMStates(gates: memory.pointer, cells: memory.pointer + 4 * cells)
      self.memory = memory
    }
  }

  /// The position of a step's cells.
  private func cells(_ index: Int, _ direction: Int) -> Int {
    memory == nil
      ? (direction * e.steps + e.time(index, direction)) * e.stepCells : direction * e.stepCells
  }

  /// The gates of all steps of a direction.
  func allGates(_ direction: Int) -> UnsafeMutablePointer<Float> {
    states.gates + 4 * direction * e.steps * e.stepCells
  }

  /// The gates of a step.
  func gates(_ index: Int, _ direction: Int) -> UnsafeMutablePointer<Float> {
    states.gates + 4 * cells(index, direction)
  }

  /// Some units of a step.
  func step(_ index: Int, _ direction: Int, _ units: Range<Int>) -> LSTMStep {
    func cells(_ index: Int) -> UnsafeMutablePointer<Float> {
      states.cells + self.cells(index, direction) + units.lowerBound
    }
    return LSTMStep(
      gates: gates(index, direction) + units.lowerBound,
      cellBefore: index == 0 ? nil : cells(index - 1), cell: cells(index), items: e.items,
      hidden: e.hidden, units: units.count)
  }
}

/// The transposed weights of the gates of each block of units, and the sums of the biases, in the
/// order in which they are read.
private struct PackedGates {
  private let memory: Scratch
  private let size, ihCount: Int

  init(
    _ weights: [LSTMWeights<UnsafePointer<Float>>], _ e: LSTMExtents,
    _ loops: any VectorLoops.Type
  ) {
    let ihCount = loops.packedCount(k: e.inputs, n: Blocks.size)
    let hhCount = loops.packedCount(k: e.hidden, n: Blocks.size)
    let (size, blocks) = (ihCount + hhCount + Blocks.size, Blocks(e.hidden))
    let memory = Scratch(count: 4 * weights.count * blocks.count * size)
    parallel(count: weights.count * blocks.count) { part in
      let (direction, block) = part.quotientAndRemainder(dividingBy: blocks.count)
      let (weights, units) = (weights[direction], blocks[block])
      for gate in 0..<4 {
        let target = memory.pointer + (4 * part + gate) * size
        let row = gate * e.hidden + units.lowerBound
        loops.pack(
          StridedMatrix(weights.ih + row * e.inputs, row: 1, column: e.inputs), k: e.inputs,
          n: units.count, into: target)
        loops.pack(
          StridedMatrix(weights.hh + row * e.hidden, row: 1, column: e.hidden), k: e.hidden,
          n: units.count, into: target + ihCount)
        let sums = target + ihCount + hhCount
        sums.update(repeating: 0, count: Blocks.size)
        for bias in weights.biases {
          for unit in 0..<units.count { sums[unit] += bias[row + unit] }
        }
      }
    }
    (self.memory, self.size, self.ihCount) = (memory, size, ihCount)
  }

  /// The weights of a gate in a part, which is a block of a direction.
  func weights(
    _ part: Int, _ gate: Int
  ) -> (ih: UnsafePointer<Float>, hh: UnsafePointer<Float>, bias: UnsafePointer<Float>) {
    let first = UnsafePointer(memory.pointer + (4 * part + gate) * size)
    return (first, first + ihCount, first + size - Blocks.size)
  }
}

/// The columns of both weights in blocks.
private struct PackedColumns {
  private let memory: Scratch
  private let size, blocks: Int

  init(
    _ weights: [LSTMWeights<UnsafePointer<Float>>], _ units: Blocks, _ inputs: Blocks,
    _ e: LSTMExtents, _ loops: any VectorLoops.Type
  ) {
    let (size, blocks) = (
      loops.packedCount(k: 4 * e.hidden, n: Blocks.size), units.count + inputs.count
    )
    let memory = Scratch(count: weights.count * blocks * size)
    parallel(count: weights.count * blocks) { part in
      let (direction, block) = part.quotientAndRemainder(dividingBy: blocks)
      let isUnits = block < units.count
      let columns = isUnits ? units[block] : inputs[block - units.count]
      let weights = isUnits ? weights[direction].hh : weights[direction].ih
      loops.pack(
        StridedMatrix(
          weights + columns.lowerBound, row: isUnits ? e.hidden : e.inputs, column: 1),
        k: 4 * e.hidden, n: columns.count, into: memory.pointer + part * size)
    }
    (self.memory, self.size, self.blocks) = (memory, size, blocks)
  }

  func pointer(_ direction: Int, _ block: Int) -> UnsafePointer<Float> {
    UnsafePointer(memory.pointer + (direction * blocks + block) * size)
  }
}
