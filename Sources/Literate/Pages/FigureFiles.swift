import Foundation
import Plot

/// The PNG files beside a page.
struct FigureFiles: Sendable {
  let folder: URL

  init(_ folder: URL) {
    self.folder = folder
  }

  /// The file's bytes, or `nil` where there is no such file.
  func bytes(of figure: Page.Figure) -> Data? {
    try? Data(contentsOf: folder.appending(path: figure.file))
  }
}

extension Data {
  /// Where a page has a PNG file inside.
  var pngAddress: String { "data:image/png;base64,\(base64EncodedString())" }
}
