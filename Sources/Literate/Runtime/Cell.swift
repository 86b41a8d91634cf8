/// Begins a cell: the lines up to the next call, with the comment directly above as their prose.
///
/// ```swift
/// // All of it, in *Markdown*.
///
/// cell("The data")
/// print(data)
/// ```
///
/// Run by itself, a notebook prints the title; the runner makes a page of prose, code and output.
///
/// - Parameters:
///   - title: The cell's title, which no other cell of the notebook has.
///   - expectedToFail: Whether the cell is to show an error. An error that ``attempt(line:_:)``
///     catches here does not end the notebook; a cell without one makes the run fail.
///   - tolerance: How far `lab notebooks check` lets the cell's results be from the accepted ones.
///   - ignoring: How lines begin that may differ altogether, such as the processor's name.
///   - line: The line of the call.
@MainActor
public func cell(
  _ title: String, expectedToFail: Bool = false, tolerance: Tolerance = .exact,
  ignoring: [String] = [], line: Int = #line
) {
  Session.current.open(
    .init(
      title: title, line: line, expectedToFail: expectedToFail, tolerance: tolerance,
      ignoring: ignoring, time: monotonicTime(), peakMemory: Session.peakMemory))
}
