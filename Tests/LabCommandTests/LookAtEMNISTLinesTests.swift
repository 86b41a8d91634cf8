import Foundation
import Testing

/// The folder of real data that `LAB_TEST_DATA` names.
private let realData = ProcessInfo.processInfo.environment["LAB_TEST_DATA"]

/// The second notebook and `lab data show`, which use the same data.
struct LookAtEMNISTLinesTests {
  @Test func giveTheSameResultsTwiceWithSyntheticData() throws {
    try withFolder { folder in
      let notebook = Program(name: "02-look-at-emnist-lines", folder: folder)
      let first = try notebook.run(["--data_source=synthetic"])
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains("SYNTHETIC: from a text that was written for this program"))
      #expect(
        first.output.contains(
          "SYNTHETIC EMNIST Lines Dataset (handwriting drawn by this program, "
            + "text written for this program)"))
      #expect(first.output.contains("Dims: (1, 28, 448)\nOutput dims: (16, 1)"))
      #expect(first.output.contains("Dims: (1, 28, 952)\nOutput dims: (34, 1)"))
      let figures = try pictures(in: folder, "02-look-at-emnist-lines")
      // Each line is drawn once.
      #expect(
        figures.keys.sorted()
          == ["overlapping-characters-SYNTHETIC.png", "sixteen-characters-SYNTHETIC.png"])

      let second = try notebook.run(["--data_source=synthetic"])
      #expect(second.output == first.output)
      #expect(second.errors == "")
      #expect(try pictures(in: folder, "02-look-at-emnist-lines") == figures)

      let lab = Program(name: "lab", folder: folder)
      let show = [
        "data", "show", "--data_class=EMNISTLines", "--data_source=synthetic", "--max_length=16",
        "--max-overlap=0",
      ]
      let shown = try lab.run(show)
      #expect(shown.status == 0, "\(shown.errors)")
      #expect(shown.output.contains("Dims: (1, 28, 448)"))
      // The notebook has already made these lines.
      #expect(shown.errors == "making a language model of order 6 for EMNISTLines, once\n")
      #expect(
        shown.output.contains(
          #/\nSYNTHETIC language model: order 6, \d{4,6} n-grams, perplexity \d\.\d\d per char/#))
      let again = try lab.run(show)
      #expect(again.output == shown.output && again.errors == "")
      #expect(
        try pictures(in: folder, "data").keys.sorted()
          == ["EMNISTLines-SYNTHETIC-classes.png", "EMNISTLines-SYNTHETIC-samples.png"])
    }
  }

  /// The lines that the course's notebook and the written walkthrough print.
  @Test(.enabled(if: realData != nil, "LAB_TEST_DATA names no folder"))
  func showsTheLinesOfBothRandomStarts() throws {
    try withFolder { folder in
      let source = URL(filePath: try #require(realData), directoryHint: .isDirectory)
      let data = folder.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        at: source.appending(path: "raw"), to: data.appending(path: "raw"))
      let notebook = Program(name: "02-look-at-emnist-lines", folder: folder)
      let outcome = try notebook.run(["--data_source=download"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("phase of Newark will"))
      // How many images there are of a character decides what comes next.
      let labels = data.appending(path: "processed/emnist/test-labels-idx1-ubyte")
      guard try Data(contentsOf: labels).count > 50_000 else { return }
      let stored = [
        "phase of", "jobs Each of", "New", "the", "Tribal", "in", "fatal", "a complete",
        "resolutely at",
      ]
      let walkthrough = [
        "it force", "at this years", "the", "unsupportable", "that way", "59", "world", "followed",
        "as",
      ]
      let lines = outcome.output.split(separator: "\n")
      for (index, texts) in zip(stored, walkthrough).enumerated() {
        #expect(
          lines.contains { line in
            line.hasPrefix("\(index + 1). ") && line.hasSuffix(" \(texts.1)")
              && line.contains(" \(texts.0) ")
          }, "\(texts)")
        #expect(lines.contains("\(index + 1). \(texts.0)"))
      }
    }
  }

  @Test(
    arguments: [
      (["data", "show", "--data_class=EMNISTLine"], "got EMNISTLine; did you mean EMNISTLines?"),
      (["data", "show", "--max_length=2"], "--max_length: expected 4 to 1000, got 2"),
      (
        ["data", "show", "--min_overlap=0.5"],
        "--min_overlap: expected at most max_overlap, which is 0.33, got 0.5"
      ),
      (["data", "show", "--random_start=store"], "got store; did you mean stored?"),
      (
        ["train", "--model_class=CNN", "--data_class=EMNISTLines"],
        "--data_class: CNN reads one character an image, but EMNISTLines has whole lines"
      ),
    ] as [([String], String)])
  func errorsAreOneLine(arguments: [String], message: String) throws {
    try withFolder { folder in
      let outcome = try Program(name: "lab", folder: folder).run(arguments)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  private func pictures(in folder: URL, _ name: String) throws -> [String: Data] {
    let folder = folder.appending(path: "output/\(name)")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.appending(path: $0))) })
  }
}
