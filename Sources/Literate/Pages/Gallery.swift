import Foundation

/// The page that leads to all notebooks.
struct Gallery {
  private let cards: [GalleryCard]

  init(_ cards: [GalleryCard]) {
    self.cards = cards
  }

  /// The file's text.
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

/// A notebook in the gallery.
struct GalleryCard {
  let page: Page
  private let picture: (thumbnail: Thumbnail, alternativeText: String)?

  /// The last figure, for a notebook draws towards it.
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
