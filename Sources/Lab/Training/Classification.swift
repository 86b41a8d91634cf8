import Foundation
import LabData
import LabTensors

/// Trains a model to find the class of each example: the metrics are `loss` and `acc`, a prediction is
/// the likeliest class.
///
/// | | shape |
/// | --- | --- |
/// | output | N × classes: logits |
/// | labels | N integers in `0..<classes` |
public struct Classification: Objective {
  /// The loss that training minimises.
  public let loss: Loss
  public let metricNames = ["loss", "acc"]
  public let takesMixedImages = true

  /// - Parameter loss: The loss that training minimises.
  public init(_ loss: Loss = .crossEntropy) {
    self.loss = loss
  }

  public func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
    var loss = try loss(output, batch.y)
    try check(output, batch.y)
    var correct = countCorrect(output, batch.y)
    if let mixing = batch.mixing {
      loss =
        try loss * mixing.share + self.loss(output, mixing.labels) * (1 - mixing.share)
      correct =
        try correct * mixing.share + countCorrect(output, mixing.labels) * (1 - mixing.share)
    }
    return BatchScore(
      loss: loss, count: batch.count,
      metrics: [MetricSum("acc", sum: correct, count: batch.count)])
  }

  public func predictions(
    _ output: Tensor, _ batch: Batch, from first: Int
  ) throws(ShapeError) -> [Prediction] {
    try check(output, batch.y)
    return Prediction.all(output, batch.y, from: first)
  }

  /// A user's loss may not have checked this.
  private func check(_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) {
    guard logits.rank == 2, labels.shape == [logits.shape[0]] else {
      throw ShapeError(
        "Classification",
        expected: "logits of shape [\(labels.count), classes] for labels of shape \(labels.shape)",
        got: "\(logits.shape)")
    }
    if let wrong = labels.elements.first(where: { !(0..<logits.shape[1]).contains($0) }) {
      throw ShapeError(
        "Classification", expected: "labels in 0..<\(logits.shape[1]), the classes of the logits",
        got: "\(wrong)", hint: "the last layer's size is the number of classes")
    }
  }
}

/// A loss for ``Classification``: a function of logits and labels.
///
/// ```swift
/// trainer.loss = .multiMargin
/// trainer.loss = Loss { logits, labels throws(ShapeError) in
///   try crossEntropy(logits * 0.5, labels)
/// }
/// ```
public struct Loss {
  /// The mean loss over a batch of logits, of shape (batch, classes), with their labels.
  public typealias Function = (_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor

  private let function: Function

  /// - Parameter function: The mean loss over a batch, a tensor of one element.
  public init(_ function: @escaping Function) {
    self.function = function
  }

  /// `torch.nn.functional.cross_entropy`.
  public static var crossEntropy: Loss { crossEntropy(labelSmoothing: 0) }

  /// `torch.nn.functional.cross_entropy` with label smoothing.
  ///
  /// - Parameter labelSmoothing: The share of the target's probability, in 0…1, that is spread over all
  ///   classes.
  public static func crossEntropy(labelSmoothing: Double) -> Loss {
    Loss { logits, labels throws(ShapeError) in
      try LabTensors.crossEntropy(logits, labels, labelSmoothing: labelSmoothing)
    }
  }

  /// `torch.nn.functional.multi_margin_loss`.
  public static var multiMargin: Loss { Loss(multiMarginLoss) }

  /// The mean loss over a batch.
  ///
  /// - Parameters:
  ///   - logits: Scores, a row for each image.
  ///   - labels: The correct classes.
  /// - Throws: ``ShapeError`` if the shapes do not fit or a label is out of range.
  public func callAsFunction(_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
    try function(logits, labels)
  }
}

/// A model's prediction for one image.
public struct Prediction: Equatable, Sendable {
  /// The image's index in the data set.
  public let position: Int
  /// The correct class.
  public let label: Int
  /// The likeliest class, according to the model.
  public let predicted: Int
  /// The probability that the model gives to ``predicted``, in 0…1.
  public let confidence: Float
  /// The cross entropy: minus the logarithm of the correct class's probability, in nats.
  public let loss: Float

  package init(position: Int, label: Int, predicted: Int, confidence: Float, loss: Float) {
    (self.position, self.label, self.predicted) = (position, label, predicted)
    (self.confidence, self.loss) = (confidence, loss)
  }

  /// Whether the prediction is correct.
  public var isRight: Bool { predicted == label }

  /// The predictions for a batch.
  ///
  /// - Parameters:
  ///   - logits: Scores, a row for each image.
  ///   - labels: The correct classes.
  ///   - first: The index of the batch's first image.
  package static func all(
    _ logits: Tensor, _ labels: IntTensor, from first: Int = 0
  ) -> [Prediction] {
    let classes = logits.shape[1]
    let (scores, likeliest) = (logits.elements, argmax(logits).elements)
    let probabilities = softmax(logits).elements
    return labels.elements.enumerated().map { row, label in
      let start = row * classes
      let best = likeliest[row]
      // From the scores: the logarithm of a probability that was rounded to 0 would be infinite.
      let rest = scores[start + best] - scores[start + label]
      let confidence = probabilities[start + best]
      return Prediction(
        position: first + row, label: label, predicted: best, confidence: confidence,
        loss: rest - log(confidence))
    }
  }
}

extension Prediction: Codable {
  /// A list of its five values: there are many predictions.
  public init(from decoder: any Decoder) throws {
    var values = try decoder.unkeyedContainer()
    position = try values.decode(Int.self)
    label = try values.decode(Int.self)
    predicted = try values.decode(Int.self)
    confidence = try values.decode(Float.self)
    loss = try values.decode(Float.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.unkeyedContainer()
    try values.encode(position)
    try values.encode(label)
    try values.encode(predicted)
    try values.encode(confidence)
    try values.encode(loss)
  }
}
