/// Why a figure could not be drawn, written or read, in one line.
public struct PlotError: Error, Equatable, CustomStringConvertible {
  /// What happened and what to do about it.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}
