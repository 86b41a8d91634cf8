import Foundation
import Plot

/// Writes a page in three formats, one file each.
///
/// | File | |
/// | --- | --- |
/// | `index.html` | HTML with embedded figures |
/// | `NAME.md` | GitHub-flavored Markdown with links to the figures |
/// | `NAME.ipynb` | a Jupyter notebook (nbformat 4.5) with embedded outputs and figures |
///
/// The same page and figures give the same bytes.
public struct PageWriter: Sendable {
  let page: Page

  public init(_ page: Page) {
    self.page = page
  }

  /// Writes the three files atomically.
  ///
  /// - Parameter folder: The folder with the figures, to which the files are written. Pages name missing
  ///   figures and show their alternative text.
  /// - Throws: An error with the path and the system's reason if a file cannot be written.
  public func write(to folder: URL) throws {
    let figures = FigureFiles(folder)
    let name = page.name
    try writeFile(HTMLPage(page, figures).text, to: folder.appending(path: "index.html"))
    try writeFile(MarkdownPage(page).text, to: folder.appending(path: "\(name).md"))
    try writeFile(
      try JupyterNotebook(page, figures).text, to: folder.appending(path: "\(name).ipynb"))
  }
}

/// The PNG files beside a page.
struct FigureFiles: Sendable {
  let folder: URL

  init(_ folder: URL) {
    self.folder = folder
  }

  /// The bytes of the file; `nil` if there is no such file.
  func bytes(of figure: Page.Figure) -> Data? {
    try? Data(contentsOf: folder.appending(path: figure.file))
  }
}

extension Data {
  /// The data URL of a PNG file.
  var pngAddress: String { "data:image/png;base64,\(base64EncodedString())" }
}

/// Writes text in UTF-8 atomically.
func writeFile(_ text: String, to file: URL) throws(PlotError) {
  try writeFile(Array(text.utf8), to: file.path(percentEncoded: false))
}
