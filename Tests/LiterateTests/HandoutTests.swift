import Foundation
import Literate
import Spawning
import Testing

struct HandoutTests {
  @Test func theFilesAreThoseOfThePageAlone() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    try Data("mine".utf8).write(to: notebook.program.folder.appending(path: "mine.png"))
    let files = try notebook.program.handout().files()
    #expect(
      files.map(\.path)
        == [
          "first.png", "index.html", "second.png", "test-notebook.ipynb", "test-notebook.md",
        ].map { "test-notebook/\($0)" })
    let run = try notebook.files
    for file in files where file.path.hasSuffix(".png") || file.path.hasSuffix(".ipynb") {
      #expect(file.bytes == run[String(file.path.dropFirst("test-notebook/".count))])
    }
    // There is no gallery beside it.
    let page = String(decoding: files[1].bytes, as: UTF8.self)
    #expect(!page.contains("All notebooks") && page.contains("href=\"first.png\""))
    let before = String(decoding: try #require(run["index.html"]), as: UTF8.self)
    #expect(before.contains("All notebooks"))
  }

  /// A record may come from elsewhere, and name any files.
  @Test func aRecordLeadsToNoOtherFiles() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let folder = notebook.program.folder
    try Data("secret".utf8).write(to: notebook.folder.appending(path: "secret.png"))
    try FileManager.default.createSymbolicLink(
      at: folder.appending(path: "link.png"),
      withDestinationURL: notebook.folder.appending(path: "secret.png"))
    let record = folder.appending(path: "record.json")
    let text = try String(contentsOf: record, encoding: .utf8)
    try text.replacing("\"files\" : [", with: "\"files\" : [\"../../secret.png\", \"link.png\",")
      .write(to: record, atomically: true, encoding: .utf8)
    #expect(try String(contentsOf: record, encoding: .utf8).contains("secret.png"))
    let names = try notebook.program.handout().files().map(\.path)
    #expect(names.count == 5 && !names.contains { $0.contains("secret") || $0.contains("link") })
  }

  @Test func aNotebookWithoutARunSaysHowToRunIt() throws {
    let notebook = try TestNotebook()
    let error = #expect(throws: NotebookError.self) { try notebook.program.handout() }
    #expect(
      error?.description
        == "test-notebook has not been run yet; to run it: my notebooks run test-notebook")
    try notebook.run()
    try Data("{".utf8).write(to: notebook.program.folder.appending(path: "page.json"))
    let other = #expect(throws: NotebookError.self) { try notebook.program.handout() }
    #expect(
      other?.description
        == "test-notebook has left no page of its last run; to run it: my notebooks run test-notebook"
    )
  }

  // MARK: PDF

  /// Prints with a script in place of the browser.
  private func error(
    of script: String, seconds: Double = 60
  ) throws -> (message: String?, browser: String) {
    let notebook = try TestNotebook()
    try notebook.run()
    let browser = notebook.folder.appending(path: "browser")
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: browser)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: browser.path(percentEncoded: false))
    let file = notebook.folder.appending(path: "a.pdf")
    try Data("earlier".utf8).write(to: file)
    let error = #expect(throws: NotebookError.self) {
      try notebook.program.handout().writePDF(
        to: file, with: PDFPrinter(browser, timeLimit: seconds))
    }
    #expect(try Data(contentsOf: file) == Data("earlier".utf8))
    // The script tells the folder of the profile, which is removed.
    let told = notebook.folder.appending(path: "told")
    let folder = try String(contentsOf: told, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(folder.contains("lab-pdf-") && !FileManager.default.fileExists(atPath: folder))
    return (error?.description, browser.path(percentEncoded: false))
  }

  /// Stores the name of the profile's folder beside the script.
  private static let telling = """
    for argument; do case $argument in
      --user-data-dir=*) profile=${argument#*=}; mkdir "$profile"; echo "${profile%/*}" > "${0%/*}/told" ;;
      --print-to-pdf=*) pdf=${argument#*=} ;;
    esac; done
    """

  @Test func aBrowserThatFailsLeavesNothing() throws {
    let failed = try error(of: "\(Self.telling)\necho 'cannot open display' >&2; exit 1")
    #expect(
      failed.message
        == "test-notebook: expected a PDF file from \(failed.browser), got none: cannot open display"
    )
    let half = try error(of: "\(Self.telling)\nprintf '%%PDF-1.4 half' > \"$pdf\"")
    #expect(
      half.message
        == "test-notebook: expected a PDF file from \(half.browser), got none: it says nothing")
    let slow = try error(of: "\(Self.telling)\nsleep 600", seconds: 0.7)
    #expect(
      slow.message
        == "test-notebook: expected a PDF file from \(slow.browser), got none: it has not ended after 0.70 s"
    )
  }

  @Test(.enabled(if: Browser.installed != nil, "Chromium is not installed"))
  func aBrowserPrintsThePage() throws {
    let notebook = try TestNotebook()
    try notebook.run()
    let file = notebook.folder.appending(path: "a.pdf")
    let printer = try #require(PDFPrinter.installed)
    try notebook.program.handout().writePDF(to: file, with: printer)
    let bytes = try Data(contentsOf: file)
    #expect(bytes.starts(with: Data("%PDF-".utf8)))
    #expect(bytes.range(of: Data("/Type /Page\n".utf8)) != nil)
    let program = ["/usr/bin/pdftotext", "/opt/homebrew/bin/pdftotext"]
      .first(where: FileManager.default.isExecutableFile(atPath:))
    guard let program else { return }
    let outcome = try Spawned.run(
      [program, file.path(percentEncoded: false), "-"], in: notebook.folder)
    for part in ["A notebook for tests", "Streams", "out 20", "as it should be"] {
      #expect(outcome.output.contains(part), "\(part)")
    }
    #expect(outcome.output.contains(#/\n1 ?\/ ?[2-9]\n/#), "the number of the sheet")
    #expect(!outcome.output.contains("file:") && !outcome.output.contains("All notebooks"))
  }
}
