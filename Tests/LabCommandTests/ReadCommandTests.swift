import DrawnPages
import Foundation
import ImageFiles
import Lab
import Plot
import Testing

/// `lab read` with untrained networks: what is printed and written, not what is read.
struct ReadCommandTests {
  /// Writes a checkpoint of a small network for lines, as `lab train` does.
  private func write(
    _ name: String, in folder: URL, isSynthetic: Bool = false, loss: String = "ctc"
  ) throws -> String {
    let config = DataConfig(
      inputDims: [1, 28, 448], outputDims: [16, 1], mapping: EMNIST.dataConfig.mapping)
    var options = LineCNN.Options.defaults
    (options.convDim, options.fcDim) = (4, 16)
    let file = folder.appending(path: name)
    let json = String(decoding: try JSONEncoder().encode(config), as: UTF8.self)
    let model = LineCNN(config, options)
    try Checkpoint.save(
      model, to: file,
      metadata: [
        "model_class": "LineCNN", "data_class": "EMNISTLines", "data_config": json,
        "data_source": isSynthetic ? "SYNTHETIC" : "download", "loss": loss,
        "model_options": try ModelConfiguration(LineCNN.self, options).json(),
      ])
    return file.path(percentEncoded: false)
  }

  private func page(_ lines: [String], _ name: String, in folder: URL) throws -> String {
    let drawn = DrawnPage(PageStyle("a") { $0.lineHeight = 40 }, lines: lines, seed: 3) {
      $0 == " " ? nil : SyntheticHandwriting.image(of: $0, using: &$1)
    }
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(drawn.picture.encoded()).write(to: file)
    return file.path(percentEncoded: false)
  }

  @Test func printsTheLinesOfEachPageAndDrawsThem() throws {
    try withFolder { folder in
      let checkpoint = try write("weights.safetensors", in: folder)
      let pages = try [
        page(["the quick brown fox", "jumps"], "a.png", in: folder),
        page(["over the lazy dog and every other animal"], "other/a.png", in: folder),
      ]
      let text = folder.appending(path: "text.txt")
      let outcome = try Program(name: "lab", folder: folder).run(
        [
          "read", "--load_checkpoint=\(checkpoint)",
          "--to=\(text.path(percentEncoded: false))",
        ] + pages)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      try #require(lines.count == 9, "\(lines)")
      #expect(lines[0] == "Model: LineCNN, trained on EMNISTLines")
      #expect(lines[1] == pages[0] && lines[5] == pages[1])
      for line in [lines[2], lines[3], lines[6]] {
        #expect(line.wholeMatch(of: /\s\s[01]\.\d\d\s\s.*/) != nil, "\(line)")
      }
      #expect(lines[4].hasSuffix("output/read/a.png"))
      #expect(lines[7].hasSuffix("output/read/a-2.png"))
      #expect(lines[8] == "Text: \(text.path(percentEncoded: false))")
      let written = try String(contentsOf: text, encoding: .utf8)
      let read = [lines[2], lines[3], "", lines[6]].map { String($0.dropFirst(8)) + "\n" }
      #expect(written == read.joined())
      for name in ["a.png", "a-2.png"] {
        let figure = folder.appending(path: "output/read/\(name)")
        let picture = try Image(contentsOf: figure.path(percentEncoded: false), channels: 3)
        #expect(picture.width >= 800 && picture.height > 200)
      }
    }
  }

  @Test func figuresOfSyntheticDataAreMarked() throws {
    try withFolder { folder in
      let checkpoint = try write("weights.safetensors", in: folder, isSynthetic: true)
      let page = try page(["word"], "a.png", in: folder)
      let outcome = try Program(name: "lab", folder: folder).run(
        ["read", "--load_checkpoint", checkpoint, page])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("Model: LineCNN, trained on SYNTHETIC EMNISTLines\n"))
      #expect(outcome.output.hasSuffix("output/read/a-SYNTHETIC.png\n"))
    }
  }

  @Test func badFilesAreOneLineAndNothingIsWritten() throws {
    try withFolder { folder in
      let checkpoint = try write("weights.safetensors", in: folder)
      let good = try page(["word"], "good.png", in: folder)
      let blank = folder.appending(path: "blank.png").path(percentEncoded: false)
      let white = FileImage(
        width: 90, height: 90, channels: 1, bytes: [UInt8](repeating: 255, count: 8100))
      try Data(white.encoded()).write(to: URL(filePath: blank))
      let text = folder.appending(path: "text.png").path(percentEncoded: false)
      try "no picture".write(toFile: text, atomically: true, encoding: .utf8)
      let mlp = folder.appending(path: "mlp.safetensors")
      try Checkpoint.save(MLP(MNIST.dataConfig), to: mlp)
      let windows = try write("windows.safetensors", in: folder, loss: "cross_entropy")
      let lab = Program(name: "lab", folder: folder)
      for (arguments, expected) in [
        (
          [windows, good],
          "expected a model that was trained with --loss=ctc, got one trained with --loss=cross_entropy"
        ),
        (
          [checkpoint, good, text],
          "cannot read \(text): expected a PNG or JPEG file, got something else"
        ),
        (
          [checkpoint, good, blank],
          "\(blank): expected a page of handwriting, got one without"
        ),
        ([checkpoint, "\(good)x"], "cannot read \(good)x: No such file or directory"),
        ([text, good], "expected a safetensors file, got "),
        (
          [mlp.path(percentEncoded: false), good],
          "expected a model that reads lines of 28 rows, such as LineCNN, got MLP for images of 1×28×28"
        ),
      ] {
        try lab.expectError(["read", "--load_checkpoint"] + arguments, expected)
      }
      let output = folder.appending(path: "output").path(percentEncoded: false)
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }
}
