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
/// The files of another language have its code before the extension: `index.ko.html`.
///
/// The same page and figures give the same bytes.
public struct PageWriter: Sendable {
  let page: Page
  private let place: PagePlace

  public init(_ page: Page) {
    self.init(page, place: .current(hasLastPassed: false))
  }

  /// A page in one of its languages, with links to the others.
  package init(_ page: Page, language: Language, among languages: [Language]) {
    self.init(page, place: .current(hasLastPassed: false).of(language, among: languages))
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
    for file in try files(withFiguresIn: folder) {
      try writeFile(file.text, to: folder.appending(path: file.name))
    }
  }

  /// The names and texts of the three files.
  ///
  /// - Parameter folder: The folder with the figures.
  func files(withFiguresIn folder: URL) throws -> [(name: String, text: String)] {
    let figures = FigureFiles(folder)
    let (name, language) = (page.name, place.language)
    return [
      (language.indexFile, HTMLPage(page, figures, place: place).text),
      (language.file(name, "md"), MarkdownPage(page, place: place).text),
      (language.file(name, "ipynb"), try JupyterNotebook(page, figures, place: place).text),
    ]
  }
}

/// The PNG files beside a page.
struct FigureFiles: Sendable {
  let folder: URL
  /// The addresses of figures that are not embedded.
  private let served: (@Sendable (Page.Figure) -> String?)?
  /// Whether the files are beside the page, so that it can link to them.
  private let areLinked: Bool

  init(_ folder: URL, areLinked: Bool = true) {
    self.folder = folder
    self.areLinked = areLinked
    served = nil
  }

  /// - Parameters:
  ///   - folder: The folder of the figures.
  ///   - served: The address at which a figure is served; `nil` if there is no such figure.
  init(_ folder: URL, servedAt served: @escaping @Sendable (Page.Figure) -> String?) {
    self.folder = folder
    self.served = served
    areLinked = true
  }

  /// The address of a figure for a page: the figure itself, or where it is served.
  func address(of figure: Page.Figure) -> String? {
    if let served { return served(figure) }
    return bytes(of: figure)?.pngAddress
  }

  /// The address of a link to a figure: its file, or where it is served; `nil` if the page has only
  /// itself.
  func link(to figure: Page.Figure) -> String? {
    guard areLinked else { return nil }
    return served?(figure) ?? linkAddress(figure.file)
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
