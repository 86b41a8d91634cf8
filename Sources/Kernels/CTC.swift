import Foundation
import KernelInterface

/// A batch of sequences of label probabilities and the labels that they are to be aligned with
/// (connectionist temporal classification): T steps, N items, C classes, S labels at most.
public struct CTCBatch: Sendable, Equatable {
  /// T, N, C and S.
  public let steps, items, classes, labels: Int
  /// The class that stands for no label.
  public let blank: Int
  /// N × S classes; what is after an item's last label is not used.
  public let targets: [Int]
  /// Of each item, the number of steps and of labels.
  public let inputLengths, targetLengths: [Int]
  /// Whether an item that has too few steps for its labels counts as 0.
  public let zeroInfinity: Bool

  public init(
    steps: Int, classes: Int, blank: Int, targets: [Int], labels: Int, inputLengths: [Int],
    targetLengths: [Int], zeroInfinity: Bool
  ) {
    (self.steps, items, self.classes) = (steps, inputLengths.count, classes)
    (self.labels, self.blank, self.targets) = (labels, blank, targets)
    (self.inputLengths, self.targetLengths) = (inputLengths, targetLengths)
    self.zeroInfinity = zeroInfinity
  }
}

/// The negative logarithm of the probability of each item's labels: of the sum over all alignments,
/// by the forward-backward algorithm. An item is computed on one thread.
///
/// The states of an item are its labels with blanks before, between and after them. α[t][s] is the
/// logarithm of the probability of all paths that are in the state s at step t, up to this step; β of
/// those from this step on. A path stays, moves on by one state, or skips a blank between different
/// labels.
///
/// - Parameters:
///   - x: T × N × C logarithms of probabilities.
///   - losses: N numbers; infinity for an item whose labels do not fit its steps.
///   - gradients: The gradient of each loss by x, T × N × C, or nil to skip it: minus the probability
///     that a path of the item has the class at the step. NaN for a loss of infinity.
///
/// Source: Graves et al., "Connectionist Temporal Classification", ICML 2006.
public func ctcLosses(
  x: UnsafePointer<Float>, _ batch: CTCBatch, losses: UnsafeMutablePointer<Float>,
  gradients: UnsafeMutablePointer<Float>?
) {
  let work = max(1, batch.steps * (2 * batch.labels + 1 + batch.classes))
  parallel(count: batch.items, grain: max(1, 20_000 / work)) { range in
    let lattice = Lattice(batch, savesSteps: gradients != nil)
    for item in range {
      losses[item] = lattice.loss(x: x, item: item, gradients: gradients)
    }
  }
}

/// Minus infinity, for logarithms that can be subtracted from each other.
private let impossible = -1e30

/// The memory in which a thread computes one item after the other.
private final class Lattice {
  private let batch: CTCBatch
  private let loops = KernelSet.current.loops
  /// States rounded up to whole vectors, with two more before and after them.
  private let width: Int
  private let savesSteps: Bool
  private let numbers: UnsafeMutablePointer<Double>
  /// Of each state, whether it can be entered from the last but one: 0, or minus infinity.
  private let skips: Scratch
  /// The logarithms of the states' probabilities for each step, and one row of anything else.
  private let rows: Scratch

  private static let margin = 2

  init(_ batch: CTCBatch, savesSteps: Bool) {
    (self.batch, self.savesSteps) = (batch, savesSteps)
    let lanes = loops.vectorLanes
    width = (2 * batch.labels + 1 + lanes - 1) / lanes * lanes + 2 * Self.margin
    // α of all steps, or of two in turn, and before them; β of two.
    let steps = savesSteps ? batch.steps : 1
    numbers = .allocate(capacity: (steps + 3) * width)
    numbers.initialize(repeating: impossible, count: (steps + 3) * width)
    skips = Scratch(count: width)
    rows = Scratch(count: (steps + 1) * width)
  }

  deinit {
    numbers.deallocate()
  }

  /// α before a step and, without the steps saved, after it.
  private func alpha(_ step: Int) -> UnsafeMutablePointer<Double> {
    numbers + (savesSteps ? step : step % 2) * width + Self.margin
  }

  private func beta(_ step: Int) -> UnsafeMutablePointer<Double> {
    numbers + ((savesSteps ? batch.steps + 1 : 2) + step % 2) * width + Self.margin
  }

  private func row(_ step: Int) -> UnsafeMutablePointer<Float> {
    rows.pointer + (savesSteps ? step : 0) * width
  }

  func loss(
    x: UnsafePointer<Float>, item: Int, gradients: UnsafeMutablePointer<Float>?
  ) -> Float {
    let (steps, length) = (batch.inputLengths[item], batch.targetLengths[item])
    let labels = batch.targets[item * batch.labels..<item * batch.labels + length]
    return labels.withUnsafeBufferPointer { labels in
      let states = 2 * length + 1
      let padded = (states + loops.vectorLanes - 1) / loops.vectorLanes * loops.vectorLanes
      setSkips(labels)
      clear(alpha(0), padded)
      alpha(0)[0] = 0
      for step in 0..<steps {
        gather(x + (step * batch.items + item) * batch.classes, labels, into: row(step), padded)
        loops.advanceStates(
          alpha(step), neighbor: -1, skips: skips.pointer, row(step), into: alpha(step + 1),
          count: padded)
      }
      // The last state is the last blank, the one before it the last label.
      let last = alpha(steps) + states - 1
      let total = steps == 0 ? last[0] : logOfSum(last[0], last[-1])
      let isPossible = !(total < impossible / 10)
      if let gradients {
        write(
          isPossible ? total : nil, labels, steps: steps, padded: padded,
          into: gradients + item * batch.classes)
      }
      if isPossible { return Float(0 - total) }
      return batch.zeroInfinity ? 0 : .infinity
    }
  }

  private func clear(_ states: UnsafeMutablePointer<Double>, _ padded: Int) {
    // What an item with more states has left is out of reach.
    (states - Self.margin).update(repeating: impossible, count: padded + 2 * Self.margin)
  }

  private func setSkips(_ labels: UnsafeBufferPointer<Int>) {
    skips.pointer.update(repeating: Float(impossible), count: width)
    for index in labels.indices.dropFirst() where labels[index] != labels[index - 1] {
      skips.pointer[2 * index + 1] = 0
    }
  }

  /// Takes the logarithms of the states' classes from those of all classes.
  private func gather(
    _ x: UnsafePointer<Float>, _ labels: UnsafeBufferPointer<Int>,
    into row: UnsafeMutablePointer<Float>, _ padded: Int
  ) {
    let blank = finite(x[batch.blank])
    row[0] = blank
    for (index, label) in labels.enumerated() {
      row[2 * index + 1] = finite(x[label])
      row[2 * index + 2] = blank
    }
    for state in 2 * labels.count + 1..<padded { row[state] = Float(impossible) }
  }

  /// NaN stays NaN.
  private func finite(_ x: Float) -> Float {
    x < Float(impossible) ? Float(impossible) : x
  }

  private func logOfSum(_ a: Double, _ b: Double) -> Double {
    let larger = a > b ? a : b
    return larger + log1p(exp((a > b ? b : a) - larger))
  }

  /// Computes β from the last step to the first, and with it the gradient, for all T steps.
  ///
  /// - Parameter total: The logarithm of the probability of the labels; nil if they do not fit.
  private func write(
    _ total: Double?, _ labels: UnsafeBufferPointer<Int>, steps: Int, padded: Int,
    into gradients: UnsafeMutablePointer<Float>
  ) {
    func gradient(_ step: Int) -> UnsafeMutablePointer<Float> {
      gradients + step * batch.items * batch.classes
    }
    let rest: Float = total == nil && !batch.zeroInfinity ? .nan : 0
    for step in 0..<batch.steps {
      gradient(step).update(repeating: step < steps ? rest : 0, count: batch.classes)
    }
    guard let total else { return }
    for step in 0..<2 { clear(beta(step), padded) }
    beta(steps)[2 * labels.count] = 0
    let probabilities = row(batch.steps)
    for step in (0..<steps).reversed() {
      loops.advanceStates(
        beta(step + 1), neighbor: 1, skips: skips.pointer + 2, row(step), into: beta(step),
        count: padded)
      loops.stateProbabilities(
        alpha(step + 1), beta(step), row(step), total: total, into: probabilities, count: padded)
      let target = gradient(step)
      var blank = probabilities[0]
      for (index, label) in labels.enumerated() {
        target[label] -= probabilities[2 * index + 1]
        blank += probabilities[2 * index + 2]
      }
      target[batch.blank] -= blank
    }
  }
}
