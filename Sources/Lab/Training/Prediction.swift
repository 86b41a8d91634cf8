import Foundation
import LabTensors

/// What a model says of one image.
public struct Prediction: Equatable, Sendable {
  /// The image's position among those that the model was asked about.
  public let position: Int
  /// The right class.
  public let label: Int
  /// The likeliest class, according to the model.
  public let predicted: Int
  /// How likely the model takes ``predicted`` to be, in 0…1.
  public let confidence: Float
  /// How surprising the right class is: minus the logarithm of its probability, in nats.
  public let loss: Float

  package init(position: Int, label: Int, predicted: Int, confidence: Float, loss: Float) {
    (self.position, self.label, self.predicted) = (position, label, predicted)
    (self.confidence, self.loss) = (confidence, loss)
  }

  /// Whether the model is right.
  public var isRight: Bool { predicted == label }

  /// The predictions for a batch.
  ///
  /// - Parameters:
  ///   - logits: Scores, a row for each image.
  ///   - labels: The right classes.
  ///   - first: The position of the batch's first image.
  package static func all(
    _ logits: Tensor, _ labels: IntTensor, from first: Int = 0
  ) -> [Prediction] {
    let classes = logits.shape[1]
    let (scores, likeliest) = (logits.elements, argmax(logits).elements)
    let probabilities = softmax(logits).elements
    return labels.elements.enumerated().map { row, label in
      let start = row * classes
      let best = likeliest[row]
      // By the scores: the logarithm of a probability that has become 0 would be no number.
      let rest = scores[start + best] - scores[start + label]
      let confidence = probabilities[start + best]
      return Prediction(
        position: first + row, label: label, predicted: best, confidence: confidence,
        loss: rest - log(confidence))
    }
  }
}
