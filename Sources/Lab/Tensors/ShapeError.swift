/// What an operation throws when shapes do not fit: one line that says which operation, what it
/// expected, what came, and what the likely cause is.
///
/// ```text
/// linear: expected x of shape [rows, 12544] (the weight is [128, 12544]), got [128, 64, 14, 14];
/// flatten x before a linear layer
/// ```
public struct ShapeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operation's name, as in the source: `conv2d`.
  public let operation: String
  /// What must hold.
  public let expected: String
  /// What came.
  public let got: String
  /// The likely cause and what to do, if there is a likely one.
  public let hint: String?

  /// - Parameters:
  ///   - operation: The operation's name.
  ///   - expected: What must hold.
  ///   - got: What came.
  ///   - hint: The likely cause and what to do.
  public init(_ operation: String, expected: String, got: String, hint: String? = nil) {
    self.operation = operation
    self.expected = expected
    self.got = got
    self.hint = hint
  }

  /// The whole message, on one line.
  public var description: String {
    "\(operation): expected \(expected), got \(got)" + (hint.map { "; \($0)" } ?? "")
  }
}
