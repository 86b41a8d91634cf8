import Foundation

/// Finds where the labels of a known text are in a line: the steps of each label on the most probable
/// CTC path that reads as the text.
///
/// ```swift
/// let best = try search.read([line])[0][0]
/// locate(best.labels, in: line).map(\.steps)  // [2..<3, 5..<7, …]
/// ```
///
/// - Parameters:
///   - labels: The labels of the text, none of them the blank.
///   - probabilities: The classes' log-probabilities.
///   - blank: The class that stands for no label.
/// - Returns: For each label its steps and its largest probability there; nil if the line has too few
///   steps for the text, or a label is not a class.
/// - Complexity: O(steps · labels) time and memory
public func locate(
  _ labels: [Int], in probabilities: LogProbabilities, blank: Int = 0
) -> [ReadLabel]? {
  let classes = 0..<probabilities.classes
  guard classes.contains(blank), labels.allSatisfy({ classes.contains($0) && $0 != blank }) else {
    return nil
  }
  // Blanks between the labels and around them; on a path, positions stay or go up by 1 or 2.
  let extended = [blank] + labels.flatMap { [$0, blank] }
  var best = [Float](repeating: -.infinity, count: extended.count)
  var moves = [UInt8](repeating: 0, count: probabilities.steps * extended.count)
  for step in 0..<probabilities.steps {
    for position in extended.indices.reversed() {
      let label = extended[position]
      var (move, from) = (0, step == 0 ? (position < 2 ? 0 : -.infinity) : best[position])
      if step > 0 {
        if position > 0, best[position - 1] > from { (move, from) = (1, best[position - 1]) }
        if position > 1, label != blank, label != extended[position - 2],
          best[position - 2] > from
        {
          (move, from) = (2, best[position - 2])
        }
      }
      moves[step * extended.count + position] = UInt8(move)
      best[position] = from + probabilities[step, label]
    }
  }
  if probabilities.steps == 0 { return labels.isEmpty ? [] : nil }
  var position = extended.count - 1
  if position > 0, best[position - 1] > best[position] { position -= 1 }
  guard best[position] > -.infinity else { return nil }
  var ranges = [Range<Int>?](repeating: nil, count: labels.count)
  for step in (0..<probabilities.steps).reversed() {
    if !position.isMultiple(of: 2) {
      ranges[position / 2] = step..<(ranges[position / 2]?.upperBound ?? step + 1)
    }
    position -= Int(moves[step * extended.count + position])
  }
  return zip(labels, ranges).map { label, range in
    let steps = range ?? 0..<0
    let largest = steps.map { probabilities[$0, label] }.reduce(-.infinity, max)
    return ReadLabel(label: label, steps: steps, confidence: exp(largest))
  }
}
