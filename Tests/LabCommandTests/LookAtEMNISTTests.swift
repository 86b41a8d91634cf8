import Foundation
import Testing

@Suite(.serialized)
struct LookAtEMNISTTests {
  @Test func givesTheSameResultsTwiceWithSyntheticData() throws {
    try withFolder { folder in
      let notebook = Program(name: "01-look-at-emnist", folder: folder)
      let arguments = ["--quick", "--data_source=synthetic", "--limit_train_batches=3"]
      let first = try notebook.run(arguments)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains("SYNTHETIC EMNIST Dataset"))
      #expect(first.output.contains("logits: shape [128, 83]"))
      #expect(first.output.contains("tensor([4, 4, 4, 4,"))
      let figures = try pictures(in: folder)
      #expect(
        figures.keys.sorted() == ["characters-SYNTHETIC.png", "predictions-SYNTHETIC.png"])

      let second = try notebook.run(arguments)
      #expect(second.output == first.output)
      #expect(try pictures(in: folder) == figures)
    }
  }

  @Test func errorsAreOneLine() throws {
    try withFolder { folder in
      let notebook = Program(name: "01-look-at-emnist", folder: folder)
      let outcome = try notebook.run(["--data_source=downlod"])
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains("got downlod; did you mean download?"))

      // A file where a folder should be.
      try Data().write(to: folder.appending(path: "data"))
      let unusable = try notebook.run(["--data_source=synthetic"])
      #expect(unusable.status == 1)
      #expect(unusable.errors.split(separator: "\n").last?.hasPrefix("Error: cannot ") == true)
    }
  }

  private func pictures(in folder: URL) throws -> [String: Data] {
    let folder = folder.appending(path: "output/01-look-at-emnist")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.appending(path: $0))) })
  }
}
