import ArgumentParser
import Foundation
import Lab
import LabFiles
import Literate

extension NotebooksCommand {
  /// `lab notebooks export`
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make files to hand out from the pages of the last runs: PDF, slides, zip archive.",
      discussion: """
        Nothing is run. The files are written to output (or LAB_OUTPUT_DIR), or where --to says. A PDF \
        file is printed by Chromium or Chrome, which must be installed.

          lab notebooks export 01 --pdf
          lab notebooks export 01 --slides --to lesson.html
          lab notebooks export --all --pdf --slides --zip --to handouts/
        """)

    @OptionGroup var names: NotebookNames
    @OptionGroup var words: NotebookLanguage

    @Flag(help: "A PDF file.")
    var pdf = false

    @Flag(
      help:
        "Slides in one HTML file, one for each cell: arrow keys, space bar, swipes; f fills the screen."
    )
    var slides = false

    @Flag(help: "A zip archive with the page in all formats and its figures.")
    var zip = false

    @Option(
      help: ArgumentHelp(
        "The file to write, or the folder if it ends with / or exists.", valueName: "file or folder"
      ))
    var to: String?

    /// A form in which a page is handed out.
    private enum Form: CaseIterable {
      case zip, slides, pdf

      var suffix: String {
        switch self {
        case .zip: ".zip"
        case .slides: ".html"
        case .pdf: ".pdf"
        }
      }

      func fileName(of notebook: String) -> String {
        self == .slides ? "\(notebook)-slides.html" : notebook + suffix
      }
    }

    private var forms: [Form] {
      [(zip, Form.zip), (slides, .slides), (pdf, .pdf)].filter(\.0).map(\.1)
    }

    func validate() throws {
      if forms.isEmpty {
        throw ValidationError("expected --pdf, --slides or --zip, or several of them")
      }
    }

    func run() throws {
      let notebooks = try names.notebooks(of: NotebooksCommand.folders())
      let target = try target(ofFiles: notebooks.count * forms.count)
      // All that can be missing is named before anything is written.
      let language = try words.chosen
      let handouts = try notebooks.map { try $0.handout(in: language) }
      let printer = PDFPrinter.installed
      if pdf, printer == nil { throw Self.missingBrowser(handouts.first?.file.relativePath ?? "") }
      for handout in handouts {
        if case .failed = handout.page.state {
          StandardError.writeLine("\(handout.page.name): the last run failed, as its page says")
        }
        for form in forms {
          let file =
            target.file ?? target.folder.appending(path: form.fileName(of: handout.page.name))
          switch form {
          case .zip: try Archive.writeZip(handout.files(), to: file)
          case .slides: try handout.writeSlides(to: file)
          case .pdf:
            if let printer {
              try refusing { try handout.writePDF(to: file, with: printer) }
            }
          }
          print(file.relativePath)
        }
      }
    }

    /// Where the files go: a folder, or one file.
    private func target(ofFiles count: Int) throws -> (folder: URL, file: URL?) {
      guard let to else { return (OutputFolder.url, nil) }
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: to, isDirectory: &isFolder)
      if to.hasSuffix("/") || exists && isFolder.boolValue {
        return (URL(filePath: to, directoryHint: .isDirectory), nil)
      }
      guard count == 1, let form = forms.first else {
        throw ValidationError(
          "--to: expected a folder for \(count) files, got \(to); end it with /")
      }
      guard to.lowercased().hasSuffix(form.suffix) else {
        throw ValidationError(
          "--to: expected a file that ends with \(form.suffix), or a folder that ends with /, got \(to)"
        )
      }
      return (OutputFolder.url, URL(filePath: to))
    }

    private static func missingBrowser(_ page: String) -> NotebookError {
      NotebookError(
        "--pdf: expected Chromium or Chrome, found none; install it (Debian, Ubuntu: apt-get install "
          + "chromium; macOS: brew install --cask google-chrome), or print \(page) with your browser"
      )
    }
  }
}
