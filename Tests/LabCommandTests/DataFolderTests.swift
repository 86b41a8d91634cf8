import Foundation
import LabTraining
import Plot
import Testing

/// `lab` with own images, `--data_class=Folder`.
struct DataFolderTests {
  /// Writes 30 images of 8×8 pixels, red or blue, to `colors/CLASS/NUMBER.png`.
  private func writeImages(in folder: URL) throws {
    for number in 0..<30 {
      let isRed = number % 2 == 0
      let pixel: [Float] = [isRed ? 1 : 0.1, Float(number) / 60, isRed ? 0.1 : 1]
      let image = Image(
        width: 8, height: 8, channels: 3, values: (0..<64).flatMap { _ in pixel })
      let path = folder.appending(path: "colors/\(isRed ? "red" : "blue")/\(number).png")
      try saveImage([image], to: path.path(percentEncoded: false), padding: 0)
    }
  }

  private func option(_ folder: URL) -> String {
    "--data_dir=\(folder.appending(path: "colors").path(percentEncoded: false))"
  }

  @Test func showsAFolder() throws {
    try withFolder { folder in
      try writeImages(in: folder)
      let shown = try Program(name: "lab", folder: folder).run([
        "data", "show", "--data-class=Folder", option(folder), "--color",
      ])
      #expect(shown.status == 0 && shown.errors == "", "\(shown.errors)")
      #expect(
        shown.output.hasPrefix(
          "Folder Dataset\nNum classes: 2\nMapping: ['blue', 'red']\nDims: (3, 8, 8)\n"
            + "Train/val/test sizes: 24, 3, 3\n"), "\(shown.output)")
      #expect(
        try FileManager.default.contentsOfDirectory(
          atPath: folder.appending(path: "output/data").path(percentEncoded: false)
        ).sorted() == ["Folder-classes.png", "Folder-samples.png"])
      // Nothing is downloaded or prepared.
      #expect(
        !FileManager.default.fileExists(
          atPath: folder.appending(path: "data").path(percentEncoded: false)))
    }
  }

  @Test func trainsOnAFolderAndNoticesOtherData() throws {
    try withFolder { folder in
      try writeImages(in: folder)
      let lab = Program(name: "lab", folder: folder)
      let trained = try lab.run([
        "train", "--data_class=Folder", option(folder), "--color", "--image_size=6,10",
        "--model_class=CNN", "--conv_dim=4", "--fc_dim=8", "--max_epochs=6", "--batch_size=4",
        "--lr=0.01",
      ])
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(trained.output.hasPrefix("Data: Folder, train/val/test sizes 24, 3, 3\n"))
      let run = folder.appending(path: "output/logs/CNN-Folder/version_0")
      let record = try RunRecord(contentsOf: run.appending(path: "run.json"))
      #expect(record.dataSources["settings"] == "3×6×10, val 0.1, test 0.1, seed 42")
      #expect(record.dataSources["files"]?.count == 64)

      let resumed = try lab.run(["train", "--resume", "--max_epochs=7"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      for change in [["--split_seed=1"], ["--image_size=6"]] {
        let other = try lab.run(["train", "--resume", "--max_epochs=8"] + change)
        #expect(other.status == 1, "\(other.errors)")
      }
      try FileManager.default.removeItem(at: folder.appending(path: "colors/red/2.png"))
      let other = try lab.run(["train", "--resume", "--max_epochs=8"])
      #expect(other.status == 1)
      #expect(other.errors.contains("expected the data of the run's beginning, got others"))
    }
  }

  @Test(arguments: [
    (["--data_class=Folder"], "--data_class=Folder: expected --data_dir=FOLDER too, got none."),
    (["--data_dir=colors"], "--data_dir belongs to Folder, but --data_class is MNIST."),
    (
      ["--data_class=EMNIST", "--image_size=8"],
      "--image_size belongs to Folder, but --data_class is EMNIST."
    ),
    (
      ["--data_class=Folder", "--data_dir=colors", "--data_source=synthetic"],
      "--data_source belongs to data sets that can be downloaded, but --data_class is Folder."
    ),
    (
      ["--data_class=Folder", "--data_dir=colors", "--image_size=0"],
      "expected one or two numbers from 1 to 65535, such as 28 or 28,56, got 0"
    ),
    (
      ["--data_class=Folder", "--data_dir=colors", "--val_fraction=1"],
      "expected a validation fraction from 0 to below 1, got 1.0"
    ),
    (
      ["--data_class=Folder", "--data_dir=none"],
      "none/: no such file or directory"
    ),
    (["--data_class=folder"], "got folder; did you mean Folder?"),
  ])
  func refusesInOneLine(arguments: [String], message: String) throws {
    try withFolder { folder in
      try writeImages(in: folder)
      for command in [["train"], ["data", "show"]] {
        let outcome = try Program(name: "lab", folder: folder).run(command + arguments)
        #expect(outcome.status != 0 && outcome.output == "")
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(
          !FileManager.default.fileExists(
            atPath: folder.appending(path: "output").path(percentEncoded: false)))
      }
    }
  }
}
