/// What a running notebook tells the runner.
package enum Report: Codable, Equatable, Sendable {
  /// The command line was understood: the values of all parameters.
  case parameters([Page.Fact])
  case cell(Opening)
  case figure(Page.Figure)
  case fact(Page.Fact)
  /// The data in a folder are read: when they change, the notebook's results may.
  case data(folder: String)
  /// An error was caught that the cell does not get over, or was to make.
  case failed(message: String, line: Int)

  /// A call of ``cell(_:expectedToFail:tolerance:ignoring:line:)``.
  package struct Opening: Codable, Equatable, Sendable {
    package var title: String
    package var line: Int
    package var isExpectedToFail: Bool
    package var tolerance: Tolerance
    package var ignoring: [String]
    /// The largest resident memory so far, in bytes.
    package var peakMemory: Int
  }
}
