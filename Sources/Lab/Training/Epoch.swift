/// What an epoch of training brought.
public struct Epoch: Codable, Sendable {
  /// Loss and accuracy on the training batches, while the model was learning from them.
  public let train: Metrics
  /// Loss and accuracy on the validation batches after the epoch; nil if there were none.
  public let val: Metrics?
  /// How long the training batches took, in seconds.
  public let seconds: Double

  package init(train: Metrics, val: Metrics?, seconds: Double) {
    (self.train, self.val, self.seconds) = (train, val, seconds)
  }
}
