import Foundation
import Plot

/// Writes the gallery, the page that links to all notebooks: for each a figure, its title and first
/// sentence, its state and time, and links.
public struct GalleryWriter: Sendable {
  let pages: [Page]
  /// The pages in other languages, by the notebook's name.
  private let translations: [Language: [String: Page]]
  private let command: String?

  /// - Parameters:
  ///   - pages: The pages in the order of the gallery. A notebook that was not run has the state
  ///     ``Page/State/notRun``.
  ///   - command: The command that runs notebooks, such as `lab notebooks`; the gallery then says how to
  ///     go on.
  public init(_ pages: [Page], command: String? = nil) {
    self.init(pages, translations: [:], command: command)
  }

  package init(
    _ pages: [Page], translations: [Language: [String: Page]], command: String?
  ) {
    self.pages = pages
    self.translations = translations.filter { !$0.value.isEmpty }
    self.command = command
  }

  /// Writes `index.html` atomically, and `index.ko.html` if a notebook has a page in that language.
  ///
  /// - Parameter folder: The folder with a folder of files for each page.
  /// - Throws: An error with the path and the system's reason if the file cannot be written.
  public func write(to folder: URL) throws {
    let languages = Language.allCases.filter { $0 == .english || translations[$0] != nil }
    for language in languages {
      let cards = pages.map { page in
        let translated = translations[language]?[page.name]
        return GalleryCard(
          translated ?? page, FigureFiles(folder.appending(path: page.name)), in: language,
          of: translated == nil ? .english : language, command: command)
      }
      let gallery = Gallery(cards, languages, in: language, command: command)
      try writeFile(gallery.text, to: folder.appending(path: language.indexFile))
    }
  }
}

/// The page that links to all notebooks.
struct Gallery {
  private let cards: [GalleryCard]
  private let languages: [Language]
  private let language: Language
  private let command: String?

  /// - Parameters:
  ///   - cards: The cards of the notebooks.
  ///   - languages: The languages in which there is a gallery.
  ///   - language: The language of this one.
  ///   - command: The command that runs notebooks.
  init(
    _ cards: [GalleryCard], _ languages: [Language], in language: Language, command: String?
  ) {
    self.cards = cards
    self.languages = languages
    self.language = language
    self.command = command
  }

  /// The HTML of the page.
  var text: String {
    htmlDocument(
      title: language[.notebooks], in: language,
      body: """
        <div class="gallery">
        <header>
        \(otherLanguages)<h1>\(language[.notebooks])</h1>
        <p class="about">\(language[.aboutNotebooks])</p>
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

  private var otherLanguages: HTML {
    let others = languages.filter { $0 != language }
    guard !others.isEmpty else { return "" }
    return
      "<nav class=\"files\" aria-label=\"\(language[.pages])\">\n\(languageLinks(to: others))</nav>\n"
  }

  private var summary: HTML {
    let failed = cards.count { if case .failed = $0.page.state { true } else { false } }
    let waiting = cards.count { $0.page.state == .notRun }
    let synthetic = cards.count(where: \.page.isSynthetic)
    let all = language.count(cards.count, .notebookCount, .notebookCounts)
    let states = [(failed, Word.failedCount), (waiting, .notRunCount)].filter { $0.0 > 0 }
    let counts = ([all] + states.map { language[$0.1, "\($0.0)"] }).joined(separator: ", ")
    guard synthetic > 0 else { return "\(counts)." }
    let which: Word =
      synthetic == 1
      ? .oneIsSynthetic : synthetic == cards.count ? .allAreSynthetic : .someAreSynthetic
    let mark = "{1}"
    let sentence = language[which, mark, "\(synthetic)"]
      .split(separator: mark, omittingEmptySubsequences: false)
      .map { part -> HTML in "\(String(part))" }
      .joined(separator: "<strong>SYNTHETIC</strong>")
    return "\(counts). \(sentence)"
  }

  /// The commands with which a reader goes on.
  private var nextSteps: HTML {
    guard let command, let notebook = (cards.first { $0.page.state != .passed } ?? cards.first)
    else { return "" }
    let name = notebook.page.name
    let steps = [
      ("\(command) run \(name)", language[.runAgain]),
      ("\(command) watch \(name)", language[.workInIt]),
      ("\(command) run --all --quick", language[.runAllQuickly]),
    ]
    let items = steps.map { code, words -> HTML in
      "<div><dt><code>\(code)</code></dt><dd>\(words)</dd></div>"
    }
    return """
      <section class="next" aria-labelledby="next">
      <h2 id="next">\(language[.whatNext])</h2>
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
  private let language: Language
  private let pageLanguage: Language
  private let command: String?

  /// The card shows the last figure, which is usually the result.
  ///
  /// - Parameters:
  ///   - page: The page.
  ///   - figures: The figures beside it.
  ///   - language: The language of the gallery.
  ///   - pageLanguage: The language of the page: English if it has no translation.
  ///   - command: The command that runs notebooks.
  init(
    _ page: Page, _ figures: FigureFiles, in language: Language, of pageLanguage: Language,
    command: String? = nil
  ) {
    self.page = page
    self.language = language
    self.pageLanguage = pageLanguage
    self.command = command
    let drawn = page.cells.flatMap(\.outputs).compactMap { output -> Page.Figure? in
      if case .figure(let figure) = output { figure } else { nil }
    }
    picture =
      drawn.reversed().lazy.compactMap { figure in
        guard let file = figures.bytes(of: figure), let thumbnail = try? Thumbnail(file) else {
          return nil
        }
        return (thumbnail, figure.alternativeText(in: language))
      }.first
  }

  var html: HTML {
    let sentence = Markdown(page.introduction).firstSentence
    let time: HTML = page.seconds.map { "<span>\(language.duration($0))</span>" } ?? ""
    let synthetic: HTML =
      page.isSynthetic
      ? "<span class=\"label synthetic\">\(language[.syntheticData])</span>" : ""
    let hasPage = page.state != .notRun
    let title: HTML =
      hasPage
      ? "<a href=\"\(linkAddress("\(page.name)/\(pageLanguage.indexFile)"))\">\(page.title)</a>"
      : "\(page.title)"
    return """
      <li class="card\(hasPage ? "" : " not-run")" id="\(Self.anchor(of: page.name))">
      \(pictureBox)
      <h2>\(title)</h2>
      <p>\(sentence)</p>
      \(failure)
      <p class="status">\(StateLabel(page.state).html(in: language))\(synthetic)\(time)</p>
      \(hasPage ? files : howToRun)
      </li>
      """
  }

  /// The anchor of a notebook's card.
  static func anchor(of name: String) -> String { "notebook-\(name)" }

  private var files: HTML {
    let files = ["md", "ipynb"].map { type in
      linkAddress("\(page.name)/\(pageLanguage.file(page.name, type))")
    }
    return """
      <p class="files">
      <a href="\(files[0])" download>\(language[.markdown])</a>
      <a href="\(files[1])" download>\(language[.jupyterNotebook])</a>
      </p>
      """
  }

  private var howToRun: HTML {
    command.map { "<p class=\"files\"><code>\($0) run \(page.name)</code></p>" } ?? ""
  }

  private var failure: HTML {
    let place = page.placeOfFailure(in: language)
    return place.isEmpty ? "" : "<p class=\"failure\">\(place)</p>"
  }

  private var pictureBox: HTML {
    guard let (thumbnail, alternativeText) = picture else {
      return "<div class=\"picture none\">\(language[.noFigure])</div>"
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
