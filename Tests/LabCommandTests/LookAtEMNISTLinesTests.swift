import Foundation
import Testing

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
      let names = ["overlapping-characters", "sixteen-characters"].flatMap { name in
        ["\(name)-SYNTHETIC.png"] + (1...9).map { "\(name)-\($0)-SYNTHETIC.png" }
      }
      #expect(figures.keys.sorted() == names.sorted())

      let second = try notebook.run(["--data_source=synthetic"])
      #expect(second.output == first.output)
      #expect(second.errors == "")
      #expect(try pictures(in: folder, "02-look-at-emnist-lines") == figures)

      let lab = Program(name: "lab", folder: folder)
      let shown = try lab.run([
        "data", "show", "--data_class=EMNISTLines", "--data_source=synthetic", "--max_length=16",
        "--max-overlap=0",
      ])
      #expect(shown.status == 0, "\(shown.errors)")
      #expect(shown.output.contains("Dims: (1, 28, 448)"))
      // The notebook has already made these lines.
      #expect(shown.errors == "")
      #expect(
        try pictures(in: folder, "data").keys.sorted()
          == ["EMNISTLines-SYNTHETIC-classes.png", "EMNISTLines-SYNTHETIC-samples.png"])
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
