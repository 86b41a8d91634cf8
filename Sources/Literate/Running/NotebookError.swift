/// Why a notebook cannot be run, shown or checked, in one line.
public struct NotebookError: Error, Equatable, CustomStringConvertible {
  /// What was expected, what came, and what to do.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}
