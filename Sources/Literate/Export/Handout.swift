import Foundation
import Plot

/// A notebook's page as it is handed out, made from the record of its last run. It links to no files
/// but its own.
public struct Handout {
  /// The page of the run.
  public let page: Page
  private let folder: RunFolder
  /// The language of the page.
  private let language: Language

  init(_ page: Page, in folder: RunFolder, _ language: Language) {
    self.page = page
    self.folder = folder
    self.language = language
  }

  private var place: PagePlace { .alone.of(language, among: [language]) }

  /// The file of the page that the run wrote.
  public var file: URL { folder.index(in: language) }

  /// The sheets of a PDF file: A4, with numbers.
  private static let sheets = """

    @page {
      size: A4;
      margin: 1.6cm 1.7cm 1.9cm;
      @bottom-center { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5c636e; }
    }

    """

  /// Writes the page as slides in a single HTML file.
  ///
  /// - Parameter file: The file, which is written whole or not at all.
  /// - Throws: An error with the path and the system's reason if the file cannot be written.
  public func writeSlides(to file: URL) throws {
    try writeFile(try Slides(page, figuresIn: folder.url, in: language).text, to: file)
  }

  /// Prints the page to a PDF file with a web browser.
  ///
  /// - Parameters:
  ///   - file: The file, which is written whole or not at all.
  ///   - printer: The browser.
  /// - Throws: ``NotebookError`` if the browser fails, ``NotebookInterruption``, or an error with the path
  ///   and the system's reason if the file cannot be written.
  public func writePDF(to file: URL, with printer: PDFPrinter) throws {
    let html = HTMLPage(
      page, FigureFiles(folder.url, areLinked: false), place: place, style: Self.sheets
    ).text
    try writeFile(
      try Array(printer.pdf(of: html, named: page.name)), to: file.path(percentEncoded: false))
  }

  /// The files of the page for an archive: the page in all formats and languages, and its figures. Their paths begin
  /// with the notebook's name.
  ///
  /// - Throws: An error if the page cannot be rendered.
  public func files() throws -> [(path: String, bytes: Data)] {
    var files: [String: Data] = [:]
    let kinds = ["html", "md", "ipynb", "png"]
    for path in folder.record.files where kinds.contains(URL(filePath: path).pathExtension) {
      // The page of an earlier run is in a folder of its own.
      guard !path.hasPrefix("\(RunFolder.lastPassedName)/"),
        let bytes = regularFile(folder.url.appending(path: path))
      else { continue }
      files[path] = bytes
    }
    var pages = folder.translations
    pages[.english] = try folder.page
    let languages = Language.allCases.filter { pages[$0] != nil }
    for (language, var page) in pages {
      page.name = self.page.name
      let writer = PageWriter(page, place: .alone.of(language, among: languages))
      for file in try writer.files(withFiguresIn: folder.url) {
        files[file.name] = Data(file.text.utf8)
      }
    }
    return files.sorted { $0.key < $1.key }.map { ("\(page.name)/\($0.key)", $0.value) }
  }
}

extension NotebookProgram {
  /// The page of the last run, to hand it out.
  ///
  /// - Parameter language: The language; without a translation the page is in English.
  /// - Throws: ``NotebookError`` if the notebook was not run yet, or its run has left no page.
  public func handout(in language: Language = .english) throws -> Handout {
    let folder = RunFolder(folder)
    guard var page = try? folder.page else {
      let hasRun = (try? folder.events) != nil
      throw NotebookError(
        "\(name) \(hasRun ? "has left no page of its last run" : "has not been run yet"); to run it: "
          + "\(folders.command) run \(name)")
    }
    let translated = folder.translations[language]
    page = translated ?? page
    // A page that came from elsewhere may have any name.
    page.name = name
    return Handout(page, in: folder, translated == nil ? .english : language)
  }
}
