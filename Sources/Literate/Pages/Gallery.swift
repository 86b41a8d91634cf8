import Foundation
import Plot

/// Writes the gallery, the page that links to all notebooks: for each a figure, its title and first
/// sentence, its state and time, and links.
public struct GalleryWriter: Sendable {
  let pages: [Page]
  private let command: String?

  /// - Parameters:
  ///   - pages: The pages in the order of the gallery. A notebook that was not run has the state
  ///     ``Page/State/notRun``.
  ///   - command: The command that runs notebooks, such as `lab notebooks`; the gallery then says how to
  ///     go on.
  public init(_ pages: [Page], command: String? = nil) {
    self.pages = pages
    self.command = command
  }

  /// Writes `index.html` atomically.
  ///
  /// - Parameter folder: The folder with a folder of files for each page.
  /// - Throws: An error with the path and the system's reason if the file cannot be written.
  public func write(to folder: URL) throws {
    let cards = pages.map { page in
      GalleryCard(page, FigureFiles(folder.appending(path: page.name)), command: command)
    }
    try writeFile(
      Gallery(cards, command: command).text, to: folder.appending(path: "index.html"))
  }
}

/// The page that links to all notebooks.
struct Gallery {
  private let cards: [GalleryCard]
  private let command: String?

  init(_ cards: [GalleryCard], command: String?) {
    self.cards = cards
    self.command = command
  }

  /// The HTML of the page.
  var text: String {
    htmlDocument(
      title: "Notebooks",
      body: """
        <div class="gallery">
        <header>
        <h1>Notebooks</h1>
        <p class="about">Each notebook is a Swift program that tells what it does. Its page has the prose,
        the code, and what the last run printed and drew.</p>
        <p class="quiet">\(summary)</p>
        </header>
        <main>
        <ul class="cards">
        \(cards.map(\.html).joined(separator: "\n"))
        </ul>
        \(nextSteps)</main>
        </div>
        """)
  }

  private var summary: HTML {
    let failed = cards.count { if case .failed = $0.page.state { true } else { false } }
    let waiting = cards.count { $0.page.state == .notRun }
    let synthetic = cards.count(where: \.page.isSynthetic)
    let all = cards.count == 1 ? "1 notebook" : "\(cards.count) notebooks"
    let states = [(failed, "failed"), (waiting, "not run yet")].filter { $0.0 > 0 }
    let counts = ([all] + states.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
    guard synthetic > 0 else { return "\(counts)." }
    let which =
      synthetic == 1 ? "One shows" : synthetic == cards.count ? "All show" : "\(synthetic) show"
    return """
      \(counts). \(which) <strong>SYNTHETIC</strong> data, made by a program: the numbers there say \
      nothing about the real data.
      """
  }

  /// The commands with which a reader goes on.
  private var nextSteps: HTML {
    guard let command, let notebook = (cards.first { $0.page.state != .passed } ?? cards.first)
    else { return "" }
    let name = notebook.page.name
    let steps = [
      ("\(command) run \(name)", "run a notebook again, in full length"),
      ("\(command) watch \(name)", "work in it: its page follows in the browser"),
      ("\(command) run --all --quick", "run all of them in a few minutes"),
    ]
    let items = steps.map { code, words -> HTML in
      "<div><dt><code>\(code)</code></dt><dd>\(words)</dd></div>"
    }
    return """
      <section class="next" aria-labelledby="next">
      <h2 id="next">What next</h2>
      <dl>
      \(items.joined(separator: "\n"))
      </dl>
      </section>

      """
  }
}

/// The card of a notebook in the gallery.
struct GalleryCard {
  let page: Page
  private let picture: (thumbnail: Thumbnail, alternativeText: String)?
  private let command: String?

  /// The card shows the last figure, which is usually the result.
  init(_ page: Page, _ figures: FigureFiles, command: String? = nil) {
    self.page = page
    self.command = command
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
    let synthetic: HTML =
      page.isSynthetic ? "<span class=\"label synthetic\">SYNTHETIC data</span>" : ""
    let hasPage = page.state != .notRun
    let title: HTML =
      hasPage
      ? "<a href=\"\(linkAddress("\(page.name)/index.html"))\">\(page.title)</a>" : "\(page.title)"
    return """
      <li class="card\(hasPage ? "" : " not-run")" id="\(Self.anchor(of: page.name))">
      \(pictureBox)
      <h2>\(title)</h2>
      <p>\(sentence)</p>
      \(failure)
      <p class="status">\(StateLabel(page.state).html)\(synthetic)\(time)</p>
      \(hasPage ? files : howToRun)
      </li>
      """
  }

  /// The anchor of a notebook's card.
  static func anchor(of name: String) -> String { "notebook-\(name)" }

  private var files: HTML {
    """
    <p class="files">
    <a href="\(linkAddress("\(page.name)/\(page.name).md"))" download>Markdown</a>
    <a href="\(linkAddress("\(page.name)/\(page.name).ipynb"))" download>Jupyter notebook</a>
    </p>
    """
  }

  private var howToRun: HTML {
    command.map { "<p class=\"files\"><code>\($0) run \(page.name)</code></p>" } ?? ""
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
