/// Ends training when a loss has not become smaller for some epochs.
public struct EarlyStopping: Codable, Sendable {
  /// How many epochs in a row may bring no smaller loss.
  public let patience: Int
  /// The smallest loss so far.
  public private(set) var best = Double.infinity
  private var wait = 0

  /// - Parameter patience: How many epochs in a row may bring no smaller loss.
  public init(patience: Int) {
    self.patience = patience
  }

  /// Takes note of an epoch's loss.
  ///
  /// - Parameter loss: The loss of the epoch that has just ended.
  public mutating func note(_ loss: Double) {
    if loss < best {
      best = loss
      wait = 0
    } else {
      wait += 1
    }
  }

  /// Whether it is time to stop.
  public var isOver: Bool { wait >= patience }
}
