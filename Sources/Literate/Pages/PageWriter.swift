import Foundation

/// Writes what a reader opens: the page in three forms, each one file.
///
/// | File | |
/// | --- | --- |
/// | `index.html` | the page, with its figures inside |
/// | `NAME.md` | GitHub's Markdown, with links to the figures |
/// | `NAME.ipynb` | a Jupyter notebook (nbformat 4.5), with outputs and figures inside |
///
/// The same page and figures give the same bytes.
public struct PageWriter: Sendable {
  let page: Page

  public init(_ page: Page) {
    self.page = page
  }

  /// Writes the three files, each as a whole or not at all.
  ///
  /// - Parameter folder: Where the page's figures are, and where the files are to be. A figure that
  ///   is missing there is named on the page, with its alternative text.
  /// - Throws: When a file cannot be written, with its path and the system's reason.
  public func write(to folder: URL) throws {
    let figures = FigureFiles(folder)
    let name = page.name
    try writeFile(HTMLPage(page, figures).text, to: folder.appending(path: "index.html"))
    try writeFile(MarkdownPage(page).text, to: folder.appending(path: "\(name).md"))
    try writeFile(
      try JupyterNotebook(page, figures).text, to: folder.appending(path: "\(name).ipynb"))
  }
}
