/// Rows of text, with columns as wide as their widest cells and two spaces between them.
///
/// ```swift
/// print(textTable([["", "test"], ["CNN", "0.7466"]]))
/// //      test
/// // CNN  0.7466
/// ```
///
/// - Parameters:
///   - rows: The rows, titles first, all of the same length.
///   - left: The number of columns that are left-aligned; the others are right-aligned.
///   - isLastLeft: Whether the last column is left-aligned too.
package func textTable(_ rows: [[String]], left: Int = 1, isLastLeft: Bool = false) -> String {
  let widths = (rows.first ?? []).indices.map { column in
    rows.map { $0[column].count }.max() ?? 0
  }
  return rows.map { row in
    let cells = zip(row, widths).enumerated().map { column, cell in
      let space = String(repeating: " ", count: cell.1 - cell.0.count)
      if isLastLeft, column == row.count - 1 { return cell.0 }
      return column < left ? cell.0 + space : space + cell.0
    }
    return trimmingEnd(cells.joined(separator: "  "))
  }.joined(separator: "\n")
}

private func trimmingEnd(_ line: String) -> String {
  String(line.reversed().drop { $0 == " " }.reversed())
}
