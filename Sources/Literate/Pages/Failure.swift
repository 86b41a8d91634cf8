extension Page {
  /// The cell that failed; `nil` where none did, or where the page failed before its first cell.
  var failedCell: Cell? {
    cells.first { if case .failed = $0.state { true } else { false } }
  }

  /// What stands above the message on a page that failed.
  var placeOfFailure: String {
    guard case .failed(_, let line) = state else { return "" }
    let cell = failedCell.map { "in “\($0.title)”" } ?? "outside the cells"
    return "Failed \(cell)\(line.map { ", line \($0)" } ?? "")."
  }
}
