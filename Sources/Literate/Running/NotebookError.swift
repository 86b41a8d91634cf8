/// An error that prevents a notebook from being run, rendered or checked, in one line.
public struct NotebookError: Error, Equatable, CustomStringConvertible {
  /// What was expected, what was found, and what to do.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// A notebook refused its parameters. It has printed the reason itself.
public struct UsageError: Error, Equatable {
  /// The exit status of programs that refuse their arguments.
  public static let status: Int32 = 64
}

/// A check or a build was interrupted, such as with Ctrl-C.
public struct NotebookInterruption: Error, CustomStringConvertible {
  let name: String

  public var description: String { "\(name): interrupted" }

  /// The exit status of an interrupted program: 128 and the number of the signal, such as 130 for
  /// Ctrl-C.
  public static var exitStatus: Int32 { Interruption.exitStatus ?? 1 }
}

extension Page.State {
  /// The message of an interrupted run.
  static let interruption = "interrupted"

  /// Whether the run was interrupted, such as with Ctrl-C.
  public var isInterruption: Bool {
    if case .failed(Self.interruption, _) = self { true } else { false }
  }
}
