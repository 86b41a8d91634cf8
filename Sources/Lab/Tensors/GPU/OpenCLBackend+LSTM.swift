import OpenCLKernels

// The products of all steps' inputs are one product for each direction; a step is one launch for
// every two directions.

extension OpenCLBackend {
  private var lstmSource: KernelSource { .lstm }

  /// Items and units of a group, and its threads: `ITEMS`, `UNITS` and `THREADS` of the kernels.
  private static let tile = (items: 32, units: 16, threads: 256)

  /// The gates of each direction, T·N × 4H, and the cells of all, directions × T × N × H.
  private final class SavedStates {
    let gates: [Tensor]
    let cells: DeviceBuffer

    init(gates: [Tensor], cells: DeviceBuffer) {
      (self.gates, self.cells) = (gates, cells)
    }
  }

  private struct LSTMSizes {
    let steps, items, inputs, hidden: Int
    let isReversed: [Bool]

    init(_ x: Tensor, _ directions: [LSTMDirection]) {
      (steps, items, inputs) = (x.shape[0], x.shape[1], x.shape[2])
      hidden = directions[0].weightHH.shape[1]
      isReversed = directions.map(\.isReversed)
    }

    var rows: Int { steps * items }
    var width: Int { isReversed.count * hidden }

    /// Where a direction's step is in time; -1 if there is no such step.
    func time(_ step: Int, _ direction: Int) -> Int32 {
      guard (0..<steps).contains(step) else { return -1 }
      return Int32(isReversed[direction] ? steps - 1 - step : step)
    }

    var numbers: [any KernelArgument] { [steps, items, hidden, width].map { Int32($0) } }
  }

  /// The first of every two directions, and the last one of them: the same one if there is no
  /// other.
  private func pairs(_ count: Int) -> [(first: Int, last: Int)] {
    stride(from: 0, to: count, by: 2).map { ($0, min($0 + 1, count - 1)) }
  }

  private func groups(_ sizes: LSTMSizes, _ pair: (first: Int, last: Int)) -> (Int, Int, Int) {
    let tile = Self.tile
    return (
      (sizes.hidden + tile.units - 1) / tile.units, (sizes.items + tile.items - 1) / tile.items,
      pair.last - pair.first + 1
    )
  }

  /// The recurrent weights of each direction in the order in which a kernel reads them.
  private func packed(_ directions: [LSTMDirection], by kernel: String) -> [DeviceBuffer] {
    directions.map { direction in
      direction.weightHH.gpu.derived(kernel, direction.weightHH.shape) {
        let hidden = direction.weightHH.shape[1]
        let packed = scratch(4 * hidden * hidden)
        queue.run(
          kernel, in: lstmSource, count: hidden * hidden, rows(direction.weightHH), packed,
          Int32(hidden))
        return packed
      }
    }
  }

  package func lstm(
    _ x: Tensor, _ directions: [LSTMDirection], saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let sizes = LSTMSizes(x, directions)
    let y = uninitialized([sizes.steps, sizes.items, sizes.width])
    guard sizes.rows > 0 else { return (y, SavedStates(gates: [], cells: scratch(0))) }
    let input = x.viewed(as: [sizes.rows, sizes.inputs])
    let gates = directions.map { linear(input, weight: $0.weightIH, bias: nil) }
    let buffers = gates.map { $0.gpu.mutableBuffer(.rowMajor) }
    let weights = packed(directions, by: "lstm_pack_gates")
    let cells = scratch(sizes.rows * sizes.width)
    for step in 0..<sizes.steps {
      for pair in pairs(directions.count) {
        let two = [pair.first, pair.last]
        let tensors = two.map { buffers[$0] } + two.map { weights[$0] }
        let biases =
          two.map { rows(directions[$0].biasIH) } + two.map { rows(directions[$0].biasHH) }
        queue.run(
          "lstm_step", in: lstmSource, groups: groups(sizes, pair),
          threads: (Self.tile.threads, 1, 1),
          tensors + biases + [cells, rows(y)] + sizes.numbers + [Int32(pair.first)]
            + two.map { sizes.time(step, $0) } + two.map { sizes.time(step - 1, $0) })
      }
    }
    return (y, saves ? SavedStates(gates: gates, cells: cells) : nil)
  }

  package func lstmGradients(
    _ x: Tensor, _ directions: [LSTMDirection], y: Tensor, dy: Tensor, saved: AnyObject?,
    wantsInput: Bool
  ) -> (dx: Tensor?, directions: [LSTMGradients]) {
    guard let saved = saved as? SavedStates else {
      preconditionFailure("lstmGradients expects what lstm saved")
    }
    let sizes = LSTMSizes(x, directions)
    guard sizes.rows > 0 else { return (wantsInput ? zeros(x.shape) : nil, directions.map(zeros)) }
    stateGradients(sizes, directions, dy: dy, saved)
    let input = x.viewed(as: [sizes.rows, sizes.inputs])
    let gradients = directions.indices.map { index in
      let (direction, gates) = (directions[index], saved.gates[index])
      let before = outputsBefore(y, sizes, index)
      return LSTMGradients(
        weightIH: linearWeightGradient(dy: gates, x: input, weight: direction.weightIH),
        weightHH: linearWeightGradient(dy: gates, x: before, weight: direction.weightHH),
        bias: sumRows(gates))
    }
    guard wantsInput else { return (nil, gradients) }
    let parts = zip(directions, saved.gates).map { direction, gates in
      linearInputGradient(dy: gates, x: input, weight: direction.weightIH)
    }
    if parts.count > 1 {
      let sum = parts[0].gpu.mutableBuffer(.rowMajor)
      for part in parts.dropFirst() {
        queue.run("lstm_add", in: lstmSource, count: x.count, rows(part), sum)
      }
    }
    return (parts[0].viewed(as: x.shape), gradients)
  }

  /// Replaces the gates by the gradients of their sums, from the last step to the first.
  private func stateGradients(
    _ sizes: LSTMSizes, _ directions: [LSTMDirection], dy: Tensor, _ saved: SavedStates
  ) {
    let gates = saved.gates.map { $0.gpu.mutableBuffer(.rowMajor) }
    let weights = packed(directions, by: "lstm_pack_rows")
    let dCells = scratch(sizes.items * sizes.width)
    for step in (0..<sizes.steps).reversed() {
      for pair in pairs(directions.count) {
        let two = [pair.first, pair.last]
        let tensors = two.map { gates[$0] } + two.map { weights[$0] }
        let times = [step, step - 1, step + 1].flatMap { step in
          two.map { sizes.time(step, $0) }
        }
        queue.run(
          "lstm_step_gradient", in: lstmSource, groups: groups(sizes, pair),
          threads: (Self.tile.threads, 1, 1),
          tensors + [saved.cells, rows(dy), dCells] + sizes.numbers + [Int32(pair.first)] + times)
      }
    }
  }

  /// A direction's outputs of the step before each step, T·N × H.
  private func outputsBefore(_ y: Tensor, _ sizes: LSTMSizes, _ direction: Int) -> Tensor {
    let before = uninitialized([sizes.rows, sizes.hidden])
    queue.run(
      "lstm_outputs_before", in: lstmSource, count: before.count, rows(y), rows(before),
      Int32(sizes.steps), Int32(sizes.items), Int32(sizes.hidden), Int32(sizes.width),
      Int32(direction * sizes.hidden), Int32(sizes.isReversed[direction] ? 1 : -1))
    return before
  }

  private func zeros(_ shape: [Int]) -> Tensor {
    let y = uninitialized(shape)
    fill(rows(y), with: 0, count: y.count)
    return y
  }

  private func zeros(_ direction: LSTMDirection) -> LSTMGradients {
    LSTMGradients(
      weightIH: zeros(direction.weightIH.shape), weightHH: zeros(direction.weightHH.shape),
      bias: zeros(direction.biasIH.shape))
  }
}
