/// Training or testing ended because somebody asked for it; see ``Trainer/isInterrupted``.
public struct TrainingInterruption: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where it ended: `stopped in epoch 1 after step 37`.
  public let description: String
}
