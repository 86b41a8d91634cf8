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
package func textTable(_ rows: [[String]], left: Int = 1) -> String {
  let widths = (rows.first ?? []).indices.map { column in
    rows.map { $0[column].count }.max() ?? 0
  }
  return rows.map { row in
    zip(row, widths).enumerated().map { column, cell in
      let space = String(repeating: " ", count: cell.1 - cell.0.count)
      return column < left ? cell.0 + space : space + cell.0
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}
