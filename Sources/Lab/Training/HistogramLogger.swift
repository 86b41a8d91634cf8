import LabNetworks
import LabTensors

/// Logs a histogram of each parameter's weights and of its gradient for TensorBoard, once an epoch:
/// `lab train --log_histograms`.
///
/// They are the weights after the epoch's last step and the gradients of that step, of a single batch.
/// In TensorBoard they are called `weights/conv1.weight` and `gradients/conv1.weight`.
public final class HistogramLogger: TrainingObserver {
  private let run: TrainingRun
  private var start: TrainingStart?

  /// - Parameter run: The run whose event file gets the histograms.
  public init(_ run: TrainingRun) {
    self.run = run
  }

  public func trainingBegan(_ training: TrainingStart) {
    start = training
  }

  // In the last step, and not when the epoch has ended: if the program is killed in between, the run
  // is resumed without gradients. What is logged in a step is cut off if the step is repeated.
  public func stepEnded(_ step: TrainingStep) throws {
    guard let start, step.step == start.stepsPerEpoch else { return }
    var histograms: [(name: String, histogram: Histogram)] = []
    for (part, tensor) in [("weights", \Parameter.optionalValue), ("gradients", \.gradient)] {
      for named in start.model.namedParameters {
        guard let elements = named.parameter[keyPath: tensor]?.elements,
          let histogram = Histogram(of: elements)
        else { continue }
        histograms.append(("\(part)/\(named.path)", histogram))
      }
    }
    try run.log(histograms, step: step.totalSteps)
  }
}

extension Parameter {
  fileprivate var optionalValue: Tensor? { value }
}

/// The distribution of some numbers: how many of them are in each of 64 intervals of equal width
/// between the smallest and the largest one.
///
/// An interval includes its upper end. Equal numbers are in one interval, which ends with them.
package struct Histogram: Equatable {
  package let min, max: Double
  package let count: Int
  package let sum, sumOfSquares: Double
  /// The upper ends of the intervals.
  package let limits: [Double]
  /// The numbers in each interval.
  package let counts: [Int]

  /// - Parameter numbers: The numbers; those that are not finite are left out.
  /// - Returns: Nil if no number is left.
  package init?(of numbers: [Float], intervals: Int = 64) {
    var (min, max, sum, squares, count) = (Double.infinity, -Double.infinity, 0.0, 0.0, 0)
    for number in numbers where number.isFinite {
      let number = Double(number)
      (min, max) = (Swift.min(min, number), Swift.max(max, number))
      (sum, squares, count) = (sum + number, squares + number * number, count + 1)
    }
    guard count > 0 else { return nil }
    (self.min, self.max, self.count, self.sum, sumOfSquares) = (min, max, count, sum, squares)
    guard min < max else {
      (limits, counts) = ([max], [count])
      return
    }
    let width = (max - min) / Double(intervals)
    let limits = (1...intervals).map { $0 == intervals ? max : min + Double($0) * width }
    var counts = [Int](repeating: 0, count: intervals)
    for number in numbers where number.isFinite {
      let number = Double(number)
      var index = Swift.min(intervals - 1, Int((number - min) / width))
      // The quotient may be rounded to the next interval, and an upper end belongs to the one before.
      while index > 0, number <= limits[index - 1] { index -= 1 }
      while number > limits[index] { index += 1 }
      counts[index] += 1
    }
    (self.limits, self.counts) = (limits, counts)
  }
}
