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
  private let place: PagePlace

  public init(_ page: Page) {
    self.init(page, place: .current(hasLastPassed: false))
  }

  init(_ page: Page, place: PagePlace) {
    self.page = page
    self.place = place
  }

  /// Writes the three files atomically.
  ///
  /// - Parameter folder: The folder with the figures, to which the files are written. Pages name missing
  ///   figures and show their alternative text.
  /// - Throws: An error with the path and the system's reason if a file cannot be written.
  public func write(to folder: URL) throws {
    let figures = FigureFiles(folder)
    let name = page.name
    try writeFile(
      HTMLPage(page, figures, place: place).text, to: folder.appending(path: "index.html"))
    try writeFile(MarkdownPage(page, place: place).text, to: folder.appending(path: "\(name).md"))
    try writeFile(
      try JupyterNotebook(page, figures, place: place).text,
      to: folder.appending(path: "\(name).ipynb"))
  }
}

/// Where a page is, which decides its links.
enum PagePlace: Sendable {
  /// In the notebook's folder. If the run failed, the last page that passed is in a folder below.
  case current(hasLastPassed: Bool)
  /// In the folder below, with the page of a later run that failed above.
  case lastPassed

  /// The address of the gallery.
  var gallery: String {
    switch self {
    case .current: "../index.html"
    case .lastPassed: "../../index.html"
    }
  }

  /// The sentence about the page of the other run, and the link to it for one of the formats; `nil` if
  /// there is none.
  func other(_ file: String) -> (sentence: String, link: String, address: String)? {
    switch self {
    case .current(false): nil
    case .current(true):
      ("An earlier run passed.", "Its page", "\(RunFolder.lastPassedName)/\(linkAddress(file))")
    case .lastPassed:
      ("This is an earlier run. The last run did not pass.", "Its page", "../\(linkAddress(file))")
    }
  }
}

/// The PNG files beside a page.
struct FigureFiles: Sendable {
  let folder: URL

  init(_ folder: URL) {
    self.folder = folder
  }

  /// The bytes of the file; `nil` if there is no such PNG file in the folder. The page of a record that
  /// came from elsewhere must not show other files.
  func bytes(of figure: Page.Figure) -> Data? {
    guard isFileName(figure.file),
      let bytes = regularFile(folder.appending(path: figure.file), limit: 1 << 28),
      bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    else { return nil }
    return bytes
  }
}

/// The bytes of a figure's file; `nil` if there is no such PNG file in the folder.
package func figureBytes(_ figure: Page.Figure, in folder: URL) -> Data? {
  FigureFiles(folder).bytes(of: figure)
}

extension Data {
  /// The data URL of a PNG file.
  var pngAddress: String { "data:image/png;base64,\(base64EncodedString())" }
}

/// Writes text in UTF-8 atomically.
func writeFile(_ text: String, to file: URL) throws(PlotError) {
  try writeFile(Array(text.utf8), to: file.path(percentEncoded: false))
}
