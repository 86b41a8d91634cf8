import Foundation
import Literate
import Testing

/// Links to sources and to other notebooks, in a package in a temporary folder.
final class PageLinkTests {
  private let package: URL

  init() throws {
    package = FileManager.default.temporaryDirectory.appending(
      path: "links-\(UUID())", directoryHint: .isDirectory)
    try write("", to: "Sources/Lab/Models/CNN.swift")
    try write("", to: ".git/config")
    for name in ["01-one", "02-two", "03-three"] {
      try write("// # Title of \(name)\ncell(\"A\")\n", to: "Notebooks/\(name)/main.swift")
    }
  }

  deinit { try? FileManager.default.removeItem(at: package) }

  private func write(_ text: String, to path: String) throws {
    let file = package.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// The page of the second notebook, rendered from a log.
  private func page(output: String = "output", prose: String = "") throws -> String {
    let place =
      output.hasPrefix("/") ? URL(filePath: output) : package.appending(path: output)
    let folders = NotebookFolders(
      sources: package.appending(path: "Notebooks"), programs: package, output: place,
      command: "my notebooks")
    let notebook = try folders.notebook("02")
    try write("// # Two\n//\n// \(prose)\n\ncell(\"A\")\n", to: "Notebooks/02-two/main.swift")
    let source = try String(contentsOf: notebook.file, encoding: .utf8)
    let page = Page("02-two", NotebookSource(source, name: "02-two"), [])
    try FileManager.default.createDirectory(
      at: notebook.folder, withIntermediateDirectories: true)
    try JSONEncoder().encode(page).write(to: notebook.folder.appending(path: "page.json"))
    try Data("{\"event\":\"start\"}\n".utf8).write(
      to: notebook.folder.appending(path: "events.jsonl"))
    try notebook.render()
    return try String(
      contentsOf: notebook.folder.appending(path: "index.html"), encoding: .utf8)
  }

  @Test(
    arguments: [
      (
        "The code is in Sources/Lab/Models/CNN.swift.",
        "<a href=\"../../Sources/Lab/Models/CNN.swift\">Sources/Lab/Models/CNN.swift</a>."
      ),
      (
        "See `Sources/Lab/Models`.",
        "<a href=\"../../Sources/Lab/Models\"><code>Sources/Lab/Models</code></a>"
      ),
      (
        "See [it](../../Sources/Lab/Models/CNN.swift#L3).",
        "<a href=\"../../Sources/Lab/Models/CNN.swift#L3\">it</a>"
      ),
      ("See [it](main.swift).", "<a href=\"../../Notebooks/02-two/main.swift\">it</a>"),
      // None of these is a file of the package.
      ("See Sources/None.swift and 1/2.", "See Sources/None.swift and 1/2."),
      ("See .git/config and ../secret.", "See .git/config and ../secret."),
      ("See [it](../../../secret).", "<a href=\"../../../secret\">it</a>"),
      (
        "See [it](https://example.org/Sources/Lab).", "<a href=\"https://example.org/Sources/Lab\">"
      ),
      ("See [it](#a).", "<a href=\"#a\">it</a>"),
    ])
  func prose(text: String, expected: String) throws {
    #expect(try page(prose: text).contains(expected))
  }

  @Test func madeFrom() throws {
    let code = "<code>Notebooks/02-two/main.swift</code>"
    #expect(
      try page().contains("Made from <a href=\"../../Notebooks/02-two/main.swift\">\(code)</a>."))
    #expect(
      try page(output: "deep/er").contains(
        "<a href=\"../../../Notebooks/02-two/main.swift\">\(code)</a>"))
  }

  /// A page elsewhere has no links to the package, which may not be there tomorrow.
  @Test func outputElsewhere() throws {
    let other = FileManager.default.temporaryDirectory.appending(path: "links-\(UUID())")
    defer { try? FileManager.default.removeItem(at: other) }
    let html = try page(
      output: other.path(percentEncoded: false), prose: "In Sources/Lab/Models/CNN.swift.")
    #expect(html.contains("Made from <code>Notebooks/02-two/main.swift</code>."))
    #expect(html.contains("In Sources/Lab/Models/CNN.swift."))
  }

  @Test func neighbors() throws {
    try write("", to: "output/01-one/index.html")
    let html = try page()
    // The third has no page: the gallery tells how to run it.
    for (link, word) in [
      ("rel=\"prev\" href=\"../01-one/index.html\" title=\"Title of 01-one\"", "← Previous"),
      (
        "rel=\"next\" href=\"../index.html#notebook-03-three\" title=\"Title of 03-three\"",
        "Next →"
      ),
    ] {
      // In the header and in the footer.
      #expect(html.ranges(of: "<a \(link)><span>\(word)</span>").count == 2)
    }
    #expect(html.contains("<strong>Title of 03-three</strong>"))
    let markdown = try String(
      contentsOf: package.appending(path: "output/02-two/02-two.md"), encoding: .utf8)
    #expect(
      markdown.hasSuffix(
        "← [Title of 01-one](../01-one/01-one.md) · "
          + "→ [Title of 03-three](../index.html#notebook-03-three)\n"))
  }
}
