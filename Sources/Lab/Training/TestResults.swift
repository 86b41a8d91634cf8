/// What a model makes of the test images.
public struct TestResults: Sendable {
  /// The mean loss over all images.
  public let loss: Double
  /// The share of images whose likeliest class is the right one.
  public let accuracy: Double
  /// What the model says of each image, in their order.
  public let predictions: [Prediction]
  /// How often each class is taken for each other.
  public let confusion: ConfusionMatrix

  package init(metrics: Metrics, predictions: [Prediction], mapping: [String]) {
    loss = metrics.loss
    accuracy = metrics.accuracy
    self.predictions = predictions
    confusion = ConfusionMatrix(predictions, mapping: mapping)
  }

  /// The wrong predictions with the greatest loss, the worst first.
  ///
  /// - Parameter count: How many, at most.
  public func worstMistakes(_ count: Int) -> [Prediction] {
    // Equal losses stay in the order of the images.
    let mistakes = predictions.filter { !$0.isRight }
      .sorted { ($1.loss, $0.position) < ($0.loss, $1.position) }
    return Array(mistakes.prefix(count))
  }
}
