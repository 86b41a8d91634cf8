import Foundation
import LabTensors

/// The logarithms of the classes' probabilities at each step of a line: what a network with CTC loss
/// gives and decoders read.
///
/// | | shape |
/// | --- | --- |
/// | ``values`` | (steps, classes), row by row |
public struct LogProbabilities: Equatable, Sendable {
  /// The number of steps, from left to right.
  public let steps: Int
  /// The number of classes, one of which is the blank.
  public let classes: Int
  /// The natural logarithms, step by step.
  public let values: [Float]

  /// - Parameters:
  ///   - values: The logarithms of a step's classes, then those of the next step.
  ///   - classes: The number of classes.
  /// - Throws: ``ShapeError`` if the values are not a whole number of steps.
  public init(_ values: [Float], classes: Int) throws(ShapeError) {
    guard classes > 0 else {
      throw ShapeError("LogProbabilities", expected: "at least 1 class", got: "\(classes)")
    }
    guard values.count.isMultiple(of: classes) else {
      throw ShapeError(
        "LogProbabilities", expected: "a whole number of steps of \(classes) classes",
        got: "\(values.count) values")
    }
    self.values = values
    self.classes = classes
    steps = values.count / classes
  }

  /// The logarithms of the softmax of a network's logits.
  ///
  /// - Parameter logits: Of shape (lines, classes, steps), as the networks for lines return them.
  /// - Returns: One for each line.
  /// - Throws: ``ShapeError`` if the logits have another rank.
  public static func lines(of logits: Tensor) throws(ShapeError) -> [LogProbabilities] {
    guard logits.rank == 3, logits.shape[1] > 0 else {
      throw ShapeError(
        "LogProbabilities.lines", expected: "logits of shape [lines, classes, steps]",
        got: "\(logits.shape)")
    }
    let (classes, steps) = (logits.shape[1], logits.shape[2])
    let elements = logits.elements
    return try (0..<logits.shape[0]).map { line throws(ShapeError) in
      var values = [Float](repeating: 0, count: classes * steps)
      for step in 0..<steps {
        let first = line * classes * steps + step
        var largest = -Float.infinity
        for label in 0..<classes { largest = max(largest, elements[first + label * steps]) }
        var sum: Float = 0
        for label in 0..<classes { sum += exp(elements[first + label * steps] - largest) }
        let normalizer = largest + log(sum)
        for label in 0..<classes {
          values[step * classes + label] = elements[first + label * steps] - normalizer
        }
      }
      return try LogProbabilities(values, classes: classes)
    }
  }

  /// The logarithm of one class's probability at one step.
  public subscript(step: Int, label: Int) -> Float { values[step * classes + label] }

  /// The most probable class of each step; of several ones the first.
  public var best: [Int] {
    (0..<steps).map { step in
      var best = 0
      for label in 1..<max(1, classes) where self[step, label] > self[step, best] { best = label }
      return best
    }
  }
}
