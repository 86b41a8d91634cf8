import LabTensors

/// The mean loss and the accuracy over the batches of an epoch.
public struct Metrics: Codable, Sendable {
  private var lossSum = 0.0
  private var right = 0
  private var samples = 0

  /// Metrics of no batch yet.
  public init() {}

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - loss: The mean loss over the batch.
  ///   - logits: Scores, a row for each image.
  ///   - labels: The right classes.
  public mutating func add(loss: Float, logits: Tensor, labels: IntTensor) {
    lossSum += Double(loss) * Double(labels.count)
    right += zip(argmax(logits).elements, labels.elements).count { $0 == $1 }
    samples += labels.count
  }

  /// The mean loss over all images; NaN before the first batch.
  public var loss: Double { lossSum / Double(samples) }

  /// The share of images whose likeliest class is the right one; NaN before the first batch.
  public var accuracy: Double { Double(right) / Double(samples) }
}
