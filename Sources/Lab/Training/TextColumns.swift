/// The lines of a table whose columns are as wide as their widest text.
///
/// - Parameters:
///   - rows: The texts of each row, those of the first one the titles.
///   - right: The columns of numbers, which are set flush right.
/// - Returns: A line for each row, with the width of the table.
func alignedColumns(
  _ rows: [[String]], right: Set<Int> = []
) -> (lines: [String], width: Int) {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in
    rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
  }
  let lines = rows.map { row in
    row.enumerated().map { column, text in
      let space = String(repeating: " ", count: widths[column] - text.count)
      if right.contains(column) { return space + text }
      return column == row.count - 1 ? text : text + space
    }.joined(separator: " | ")
  }
  return (lines, widths.reduce(0, +) + 3 * max(0, columns - 1))
}
