import Foundation
import Literate
import Plot

/// A page with everything that pages can have, and its figures.
struct SamplePage {
  /// Text that no renderer may interpret as markup.
  static let hostile = "<script>alert('&amp;')</script> ``` | *a* ]( \"x\" -->"

  static let page = Page(
    name: "03-sample", title: "Everything <at> once & \"more\"",
    introduction: """
      EMNIST is MNIST's bigger sibling: next to the ten digits it has *letters*. We look at `a < b`,
      and at ~~nothing~~ else — see https://example.org/data?a=1&b=2.

      A <b>second</b> paragraph.
      """,
    setup: "import Lab\n\nlet options = Options.fromCommandLine()",
    cells: [
      Page.Cell(
        id: "look-at-the-data", title: "Look at the data", line: 12,
        prose: """
          ## What is in it

          | Set | Images |
          | --- | ---: |
          | train | 260,212 |

          ![a picture](https://example.org/picture.png)

          ```swift
          let x = "in prose"
          ```
          """,
        code: "let data = try EMNIST()  // all of it\nprint(\"\\(data.count) <images>\")",
        outputs: [
          .text("260212 <images>\n", stream: .standardOutput),
          .text("and \u{1B}[1mmore\u{1B}[0m\n", stream: .standardOutput),
          .text("warning: ```slow```\n", stream: .standardError),
          .figure(.init(file: "gray.png", alternativeText: "A \"gray\" ramp", width: 4, height: 2)),
        ], state: .passed, seconds: 0.834, peakMemory: 212_000_000),
      Page.Cell(
        id: "look-at-the-data", title: "Look at the data", line: 20, prose: "The same title again.",
        code: "try linear(x)",
        outputs: [
          .figure(.init(file: "colors.png", alternativeText: "Colors", width: 800, height: 500))
        ], state: .failedAsExpected(message: "linear: expected x of shape [rows, 3]"), seconds: 1.5,
        peakMemory: 1_250_000_000),
      Page.Cell(
        id: "train", title: "Train", line: 31, prose: hostile, code: "fit(\"\(hostile)\")",
        outputs: [.text(hostile, stream: .standardOutput)],
        state: .failed(message: "no space left\non the device \(hostile)", line: 33), seconds: 75),
      Page.Cell(id: "predict", title: "Predict \(hostile)", line: 40, code: "predict()"),
    ], state: .failed(message: "no space left\non the device \(hostile)", line: 33),
    facts: [.init("Seed", "42"), .init("Data", "SYNTHETIC \(hostile)")], seconds: 78.2)

  /// The figures of ``page``, by file name.
  static let figures = [
    "gray.png": Bitmap(
      width: 4, height: 2, channels: 1, bytes: [0, 80, 160, 255, 255, 160, 80, 0]),
    "colors.png": Bitmap(
      width: 800, height: 500, channels: 3,
      bytes: (0..<500).flatMap { y in (0..<800).flatMap { x in [UInt8(x / 4), UInt8(y / 2), 128] } }
    ),
  ]

  static func writeFigures(to folder: URL) throws {
    for (name, bitmap) in figures {
      try Data(encodePNG(bitmap)).write(to: folder.appending(path: name))
    }
  }
}

/// Runs `body` with a temporary folder, optionally with the figures of the sample page.
func withSampleFolder<Result>(figures: Bool = true, _ body: (URL) throws -> Result) throws -> Result
{
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-pages-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  if figures { try SamplePage.writeFigures(to: folder) }
  return try body(folder)
}
