import Foundation
import Plot

/// Writes the page that leads to all notebooks: of each a picture, its title and first sentence, how
/// it ended, how long it took, and links.
public struct GalleryWriter: Sendable {
  let pages: [Page]

  /// - Parameter pages: In the order in which they are to be shown.
  public init(_ pages: [Page]) {
    self.pages = pages
  }

  /// Writes `index.html`, as a whole or not at all.
  ///
  /// - Parameter folder: The folder with each page's files in a folder of the page's name.
  /// - Throws: When the file cannot be written, with its path and the system's reason.
  public func write(to folder: URL) throws {
    let cards = pages.map { page in
      GalleryCard(page, FigureFiles(folder.appending(path: page.name)))
    }
    try writeFile(Gallery(cards).text, to: folder.appending(path: "index.html"))
  }
}
