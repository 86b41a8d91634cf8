import Foundation
import Plot

/// Writes the gallery, the page that links to all notebooks: for each a figure, its title and first
/// sentence, its state and time, and links.
public struct GalleryWriter: Sendable {
  let pages: [Page]

  /// - Parameter pages: The pages in the order of the gallery.
  public init(_ pages: [Page]) {
    self.pages = pages
  }

  /// Writes `index.html` atomically.
  ///
  /// - Parameter folder: The folder with a folder of files for each page.
  /// - Throws: An error with the path and the system's reason if the file cannot be written.
  public func write(to folder: URL) throws {
    let cards = pages.map { page in
      GalleryCard(page, FigureFiles(folder.appending(path: page.name)))
    }
    try writeFile(Gallery(cards).text, to: folder.appending(path: "index.html"))
  }
}

/// The page that links to all notebooks.
struct Gallery {
  private let cards: [GalleryCard]

  init(_ cards: [GalleryCard]) {
    self.cards = cards
  }

  /// The HTML of the page.
  var text: String {
    htmlDocument(
      title: "Notebooks",
      body: """
        <div class="gallery">
        <header>
        <h1>Notebooks</h1>
        <p class="quiet">\(summary)</p>
        </header>
        <main>
        <ul class="cards">
        \(cards.map(\.html).joined(separator: "\n"))
        </ul>
        </main>
        </div>
        """)
  }

  private var summary: String {
    let failed = cards.count { if case .failed = $0.page.state { true } else { false } }
    let all = cards.count == 1 ? "1 notebook" : "\(cards.count) notebooks"
    return failed == 0 ? "\(all)." : "\(all), \(failed) failed."
  }
}

/// The card of a notebook in the gallery.
struct GalleryCard {
  let page: Page
  private let picture: (thumbnail: Thumbnail, alternativeText: String)?

  /// The card shows the last figure, which is usually the result.
  init(_ page: Page, _ figures: FigureFiles) {
    self.page = page
    let drawn = page.cells.flatMap(\.outputs).compactMap { output -> Page.Figure? in
      if case .figure(let figure) = output { figure } else { nil }
    }
    picture =
      drawn.reversed().lazy.compactMap { figure in
        guard let file = figures.bytes(of: figure), let thumbnail = try? Thumbnail(file) else {
          return nil
        }
        return (thumbnail, figure.alternativeText)
      }.first
  }

  var html: HTML {
    let sentence = Markdown(page.introduction).firstSentence
    let time: HTML = page.seconds.map { "<span>\(duration($0))</span>" } ?? ""
    return """
      <li class="card">
      \(pictureBox)
      <h2><a href="\(linkAddress("\(page.name)/index.html"))">\(page.title)</a></h2>
      <p>\(sentence)</p>
      \(failure)
      <p class="status">\(StateLabel(page.state).html)\(time)</p>
      <p class="files">
      <a href="\(linkAddress("\(page.name)/\(page.name).md"))" download>Markdown</a>
      <a href="\(linkAddress("\(page.name)/\(page.name).ipynb"))" download>Jupyter notebook</a>
      </p>
      </li>
      """
  }

  private var failure: HTML {
    let place = page.placeOfFailure
    return place.isEmpty ? "" : "<p class=\"failure\">\(place)</p>"
  }

  private var pictureBox: HTML {
    guard let (thumbnail, alternativeText) = picture else {
      return "<div class=\"picture none\">No figure</div>"
    }
    return """
      <div class="picture"><img src="\(HTML(trusted: thumbnail.png.pngAddress))" \
      alt="\(alternativeText)" width="\(thumbnail.width)" height="\(thumbnail.height)"></div>
      """
  }
}

/// A small version of a figure, embedded in the gallery.
struct Thumbnail {
  /// The bytes of a PNG file.
  let png: Data
  let width: Int
  let height: Int

  /// Shrinks the figure to at most 640 × 400 pixels.
  init(_ file: Data) throws(PlotError) {
    let figure = try decodeImage(Array(file), named: "a figure", channels: 3)
    let scale = min(640 / Double(figure.width), 400 / Double(figure.height))
    guard scale < 1 else {
      (png, width, height) = (file, figure.width, figure.height)
      return
    }
    width = max(1, Int((Double(figure.width) * scale).rounded()))
    height = max(1, Int((Double(figure.height) * scale).rounded()))
    png = Data(try encodePNG(shrunk(figure, width: width, height: height)))
  }
}

/// Shrinks a bitmap: every pixel is the mean of the pixels that it covers, fully or partly.
private func shrunk(_ bitmap: Bitmap, width: Int, height: Int) -> Bitmap {
  let channels = bitmap.channels
  var bytes: [UInt8] = []
  bytes.reserveCapacity(width * height * channels)
  for y in 0..<height {
    let rows = covered(y, of: height, in: bitmap.height)
    for x in 0..<width {
      let columns = covered(x, of: width, in: bitmap.width)
      let count = rows.count * columns.count
      for channel in 0..<channels {
        var sum = count / 2
        for row in rows {
          for column in columns {
            sum += Int(bitmap.bytes[(row * bitmap.width + column) * channels + channel])
          }
        }
        bytes.append(UInt8(sum / count))
      }
    }
  }
  return Bitmap(width: width, height: height, channels: channels, bytes: bytes)
}

private func covered(_ index: Int, of count: Int, in larger: Int) -> Range<Int> {
  index * larger / count..<((index + 1) * larger + count - 1) / count
}
