/// What ends a training run: one line that says what happened, where, and what to do.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The whole message, on one line.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}
