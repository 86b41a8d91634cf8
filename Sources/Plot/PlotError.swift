/// An error while drawing, writing or reading a figure, in one line.
public struct PlotError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what to do about it.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}
