/// A notebook did not understand its parameters; it has told the user so itself.
public struct UsageError: Error, Equatable {
  /// The exit status of programs that do not understand their arguments.
  public static let status: Int32 = 64
}
