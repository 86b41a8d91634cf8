import Literate

/// The cells that a kernel has executed, in the order of their first execution.
///
/// To execute a cell is to run the program of all cells up to this one, so that a result depends on what
/// the cells say and never on how often they were executed.
package struct CellList: Equatable, Sendable {
  package struct Cell: Equatable, Sendable {
    /// The identifier that the front end gives; `nil` if it gives none.
    package var id: String?
    package var code: String
    /// The execution count that stands before the cell.
    package var count: Int
    /// Whether the front end goes on after an error of the cell.
    package var isExpectedToFail: Bool

    package init(id: String?, code: String, count: Int, isExpectedToFail: Bool = false) {
      (self.id, self.code, self.count) = (id, code, count)
      self.isExpectedToFail = isExpectedToFail
    }
  }

  package private(set) var cells: [Cell] = []

  package init() {}

  /// The cells to run for the execution of a cell, which is the last of them. A cell that was executed
  /// before keeps its place.
  ///
  /// - Parameters:
  ///   - cell: The cell.
  ///   - place: Its place, if it is not that of its identifier.
  package func program(for cell: Cell, at place: Int? = nil) -> CellProgram {
    CellProgram(cells[..<(place ?? self.place(of: cell))] + [cell])
  }

  /// Adds a cell that was executed, or puts it into its place.
  package mutating func add(_ cell: Cell, at place: Int? = nil) {
    let place = place ?? self.place(of: cell)
    if place < cells.count { cells[place] = cell } else { cells.append(cell) }
  }

  /// Forgets cells that are not in the notebook any more.
  package mutating func remove(_ ids: [String]) {
    cells.removeAll { $0.id.map(ids.contains) ?? false }
  }

  private func place(of cell: Cell) -> Int {
    cell.id.flatMap { id in cells.firstIndex { $0.id == id } } ?? cells.count
  }
}

/// The program of a list of cells.
///
/// ```swift
/// import Literate
/// cell("1")
/// let x = 1
/// cell("2")
/// print(x)
/// ```
///
/// The same cells give the same text, whatever their execution counts, so that `cached` finds its results.
package struct CellProgram: Equatable, Sendable {
  package let cells: [CellList.Cell]
  /// The text of `main.swift`.
  package let text: String
  /// For each cell, the line of its call, counted from 1.
  package let calls: [Int]
  private let lineCount: Int

  package init(_ cells: some Sequence<CellList.Cell>) {
    var (lines, calls) = (["import Literate"], [Int]())
    for (index, cell) in cells.enumerated() {
      calls.append(lines.count + 1)
      lines.append("cell(\"\(index + 1)\"\(cell.isExpectedToFail ? ", expectedToFail: true" : ""))")
      lines += withUnixLineEnds(cell.code).split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init)
    }
    (self.cells, self.calls) = (Array(cells), calls)
    lineCount = lines.count
    text = lines.joined(separator: "\n") + "\n"
  }

  /// The cell that a line of the program belongs to, and its line there, counted from 1; `nil` for lines
  /// of the kernel.
  package func place(of line: Int) -> (cell: Int, line: Int)? {
    guard let cell = calls.lastIndex(where: { $0 < line }),
      line < (cell + 1 < calls.count ? calls[cell + 1] : lineCount + 1)
    else { return nil }
    return (cell, line - calls[cell])
  }

  /// The place of a line in words: `cell [3], line 2`; without the cell if it is the one that is executed.
  package func name(of line: Int) -> String? {
    guard let (cell, line) = place(of: line) else { return nil }
    return cell == cells.count - 1 ? "line \(line)" : "cell [\(cells[cell].count)], line \(line)"
  }

  /// A line of the program as a person would mark it.
  package func excerpt(_ line: Int) -> [String] {
    guard let (cell, local) = place(of: line) else { return [] }
    let lines = withUnixLineEnds(cells[cell].code).split(
      separator: "\n", omittingEmptySubsequences: false)
    guard local <= lines.count else { return [] }
    return ["\(local) | \(lines[local - 1])"]
  }

  /// The compiler's errors with the lines of the cells instead of those of the program.
  ///
  /// - Parameters:
  ///   - report: The errors as the compiler says them.
  ///   - file: The name of the program's file in them.
  package func errors(_ report: BuildReport, in file: String) -> CompileErrors {
    var (isOwn, shown, summary) = (false, [String](), String?.none)
    // The cell of the error, and the line of the program that is shown, with its text.
    var (cell, number, pending) = (0, 0, String?.none)
    var declared = Set<Int>()
    var (isRedeclaration, isSummaryOfLast) = (true, false)
    for line in report.details.split(separator: "\n", omittingEmptySubsequences: false) {
      if let match = line.wholeMatch(of: #/(.*?):(\d+):(\d+): (?:fatal )?error: (.*)/#),
        let row = Int(match.2)
      {
        isOwn = match.1 == file
        let message = String(match.4)
        let place = isOwn ? name(of: row) ?? "the last line" : "\(match.1), line \(row)"
        (cell, pending) = (self.place(of: row)?.cell ?? cells.count - 1, nil)
        shown.append("\(place), column \(match.3): \(message)")
        let isLast = isOwn && cell == cells.count - 1
        if summary == nil || isLast && !isSummaryOfLast {
          (summary, isSummaryOfLast) = ("\(place): \(message)", isLast)
        }
        // Uses in other cells are ambiguous, then.
        let follows = isOwn && message.hasPrefix("ambiguous use of")
        if !follows, !isLast || !message.hasPrefix("invalid redeclaration of") {
          isRedeclaration = false
        }
        continue
      }
      if isOwn, let match = line.wholeMatch(of: #/( *\d+)( [|:].*)/#) {
        number = Int(match.1.drop { $0 == " " }) ?? 0
        pending = nil
        guard let (other, local) = place(of: number) else { continue }
        let text = String(local)
        let padding = String(repeating: " ", count: max(0, match.1.count - text.count))
        let excerpt = padding + text + match.2
        // Of other cells, only the lines with a note are shown.
        if other == cell { shown.append(excerpt) } else { pending = excerpt }
        continue
      }
      if line.isEmpty {
        shown.append("")
        continue
      }
      if isOwn, place(of: number).map({ $0.cell != cell }) ?? true, number > 0 {
        guard let excerpt = pending else { continue }
        if line.contains("- ") { shown.append("in \(name(of: number) ?? ""):\n\(excerpt)") }
        pending = nil
      }
      if line.contains("previously declared here"), let cell = place(of: number)?.cell {
        declared.insert(cell)
      }
      shown.append(String(line))
    }
    let count = shown.isEmpty ? 0 : report.details.matches(of: #/: (?:fatal )?error: /#).count
    let first = summary ?? report.summary
    return CompileErrors(
      summary: count > 1 ? "\(first) (and \(count - 1) more)" : first, lines: shown,
      redeclares: isRedeclaration && declared.count == 1 ? declared.first : nil)
  }
}

/// The errors of the compiler in the words of a notebook.
package struct CompileErrors: Error, Equatable {
  /// The first error, in one line.
  package var summary: String
  /// All errors with the lines of the cells.
  package var lines: [String]
  /// The cell that declared what the last cell declares again, if that is all that is wrong.
  package var redeclares: Int?
}
