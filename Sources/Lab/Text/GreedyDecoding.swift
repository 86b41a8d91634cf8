import Foundation

/// The labels that a CTC path reads as: repetitions are merged, then blanks dropped.
///
/// ```swift
/// greedyDecode([0, 7, 7, 0, 7, 9, 9])  // [7, 7, 9]
/// ```
///
/// Source: A. Graves and others, "Connectionist Temporal Classification" (2006), section 3.2.
///
/// - Parameters:
///   - best: The class of each step, such as ``LogProbabilities/best``.
///   - blank: The class that stands for no label.
public func greedyDecode(_ best: [Int], blank: Int = 0) -> [Int] {
  var labels: [Int] = []
  var previous = blank
  for label in best {
    if label != previous, label != blank { labels.append(label) }
    previous = label
  }
  return labels
}

/// A label with the steps that it was read from.
public struct ReadLabel: Equatable, Sendable {
  /// The label.
  public let label: Int
  /// The steps in a row at which it was the most probable class.
  public let steps: Range<Int>
  /// Its largest probability at one of these steps, from 0 to 1.
  public let confidence: Float

  /// - Parameters:
  ///   - label: The label.
  ///   - steps: The steps in a row at which it was the most probable class.
  ///   - confidence: Its largest probability at one of these steps.
  public init(label: Int, steps: Range<Int>, confidence: Float) {
    self.label = label
    self.steps = steps
    self.confidence = confidence
  }
}

/// ``greedyDecode(_:blank:)`` of the most probable class of each step, with the steps and the
/// confidence of each label.
///
/// - Parameters:
///   - probabilities: The classes' log-probabilities.
///   - blank: The class that stands for no label.
public func greedyDecode(_ probabilities: LogProbabilities, blank: Int = 0) -> [ReadLabel] {
  var labels: [ReadLabel] = []
  var start = 0
  let best = probabilities.best
  for end in best.indices.map({ $0 + 1 }) where end == best.count || best[end] != best[start] {
    let label = best[start]
    if label != blank {
      let largest = (start..<end).map { probabilities[$0, label] }.reduce(-.infinity, max)
      labels.append(ReadLabel(label: label, steps: start..<end, confidence: exp(largest)))
    }
    start = end
  }
  return labels
}
