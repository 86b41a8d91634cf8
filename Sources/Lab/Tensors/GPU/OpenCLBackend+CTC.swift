import Kernels
import OpenCLKernels

extension OpenCLBackend {
  /// The states of an item that rows in a group's memory have room for; larger ones are in the
  /// device's memory.
  private static let width = 1024

  package func ctcLoss(
    _ x: Tensor, _ batch: CTCBatch, wantsGradient: Bool
  ) -> (losses: Tensor, gradients: Tensor?) {
    ctcLoss(x, batch, wantsGradient: wantsGradient, memory: 256 << 20)
  }

  /// - Parameter memory: The bytes of the states that are computed together, if that is enough for
  ///   one item.
  package func ctcLoss(
    _ x: Tensor, _ batch: CTCBatch, wantsGradient: Bool, memory: Int
  ) -> (losses: Tensor, gradients: Tensor?) {
    let losses = uninitialized([batch.items])
    let gradients = wantsGradient ? uninitialized(x.shape) : nil
    let states = 2 * batch.labels + 1
    let isLocal = states <= Self.width
    let source = KernelSource(
      .groupSums, .ctc, macros: isLocal ? ["WIDTH=\(Self.width)"] : [])
    let directions = wantsGradient ? 2 : 1
    let together = wantsGradient ? itemsTogether(batch, memory) : max(1, batch.items)
    // Pairs of floats.
    let saved = scratch(wantsGradient ? 4 * together * batch.steps * states : 0)
    let rowsOfStates = scratch(isLocal ? 0 : 4 * directions * together * states)
    let totals = scratch(2 * batch.items)
    let numbers = integers(lengthsAndLabels(of: batch))
    let inputs: [any KernelArgument] = [rows(x), numbers]
    let extents =
      [batch.steps, batch.items, batch.classes, batch.labels, batch.blank]
      + [batch.zeroInfinity ? 0 : 1]
    for first in stride(from: 0, to: batch.items, by: together) {
      let items = min(together, batch.items - first)
      queue.run(
        "ctc_states", in: source, groups: (items, directions, 1),
        threads: (threads(for: states), 1, 1),
        inputs + (extents + [first, wantsGradient ? 1 : 0]).map { Int32($0) }
          + [saved, rowsOfStates, totals, rows(losses)])
      guard let gradients else { continue }
      queue.run(
        "ctc_gradient", in: source, groups: (batch.steps * items, 1, 1),
        threads: (threads(for: min(128, max(batch.classes, batch.labels + 1))), 1, 1),
        inputs + (extents + [first, items]).map { Int32($0) } + [saved, totals, rows(gradients)])
    }
    return (losses, gradients)
  }

  /// The items that are computed together, about as many each time.
  private func itemsTogether(_ batch: CTCBatch, _ memory: Int) -> Int {
    let size = 16 * max(1, batch.steps) * (2 * batch.labels + 1)
    let most = max(1, min(memory, queue.device.largestBuffer) / size)
    let launches = max(1, (batch.items + most - 1) / most)
    return max(1, (batch.items + launches - 1) / launches)
  }

  /// A power of two.
  private func threads(for count: Int) -> Int {
    GroupShape(max(32, count), threads: groupThreads).width
  }

  /// The numbers of steps and of labels of each item, and for each label its class, the next label
  /// of the same class (-1 if there is none), and whether it is the first of its class.
  private func lengthsAndLabels(of batch: CTCBatch) -> [Int] {
    let count = batch.items * batch.labels
    var next = [Int](repeating: -1, count: count)
    var isFirst = [Int](repeating: 0, count: count)
    var last = [Int](repeating: -1, count: batch.classes)
    for item in 0..<batch.items {
      let first = item * batch.labels
      let labels = batch.targets[first..<first + batch.targetLengths[item]]
      for (index, label) in labels.enumerated() {
        if last[label] < 0 { isFirst[first + index] = 1 } else { next[first + last[label]] = index }
        last[label] = index
      }
      for label in labels { last[label] = -1 }
    }
    return batch.inputLengths + batch.targetLengths + batch.targets + next + isFirst
  }
}
