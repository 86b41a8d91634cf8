extension Page.State {
  /// What is said of a run that was ended with Ctrl-C.
  static let interruption = "interrupted"

  /// Whether somebody ended the run with Ctrl-C.
  public var isInterruption: Bool {
    if case .failed(Self.interruption, _) = self { true } else { false }
  }
}
