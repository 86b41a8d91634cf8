import Foundation

/// What a cell gave that another run has to give again: what it printed, and its figures.
struct CellResult {
  let id: String
  let title: String
  /// What went to standard output, and the error of a cell that is to fail; standard error is for
  /// progress and notices.
  let text: String
  /// The names of the figures' files.
  let figures: [String]
  let tolerance: Tolerance
  let ignoring: [String]

  /// The results of the cells that ran.
  ///
  /// - Parameters:
  ///   - page: The run's page.
  ///   - events: The run's record, which has the tolerances.
  static func all(of page: Page, _ events: [Event]) -> [CellResult] {
    var openings: [String: Event.Opening] = [:]
    for case .cell(let opening) in events { openings[opening.title] = opening }
    return page.cells.filter { $0.state != .notRun }.map { cell in
      CellResult(cell, opening: openings[cell.title])
    }
  }

  private init(_ cell: Page.Cell, opening: Event.Opening?) {
    (id, title) = (cell.id, cell.title)
    var text = cell.outputs.reduce("") { text, output in
      if case .text(let next, .standardOutput) = output { text + next } else { text }
    }
    if case .failedAsExpected(let message) = cell.state { text += "Error: \(message)\n" }
    self.text = text
    figures = cell.outputs.compactMap { output in
      if case .figure(let figure) = output { figure.file } else { nil }
    }
    tolerance = opening?.tolerance ?? .exact
    ignoring = opening?.ignoring ?? []
  }
}
