import Foundation
import Lab
import Plot
import Spawning
import Testing

@Suite(.serialized)
struct PredictCommandTests {
  /// A 7 of thick strokes.
  private func seven(paper: Float, ink: Float, channels: Int = 1) -> Image {
    let (width, height) = (60, 90)
    var values: [Float] = []
    for y in 0..<height {
      for x in 0..<width {
        let isTop = (15..<25).contains(y) && (12..<48).contains(x)
        let isStem = (25..<75).contains(y) && (42 - y / 3..<52 - y / 3).contains(x)
        // Blue paper and red ink have gray values between.
        let value = isTop || isStem ? ink : paper
        values += channels == 1 ? [value] : isTop || isStem ? [ink, 0, 0] : [0.8, 0.9, paper]
      }
    }
    return Image(width: width, height: height, channels: channels, values: values)
  }

  /// Writes a checkpoint of fresh weights, without any metadata.
  private func write(_ model: some Layer, in folder: URL) throws -> String {
    let file = folder.appending(path: "weights.safetensors")
    try Checkpoint.save(model, to: file)
    return file.path(percentEncoded: false)
  }

  private func png(_ image: Image, _ name: String, in folder: URL) throws -> String {
    let path = folder.appending(path: name).path(percentEncoded: false)
    try saveImage([image], to: path)
    return path
  }

  /// Finite weights may give outputs that are not.
  @Test func outputsThatAreNotFiniteAreAnError() throws {
    try withFolder { folder in
      var options = MLP.Options.defaults
      (options.fc1, options.fc2) = (16, 8)
      let model = MLP(MNIST.dataConfig, options)
      for parameter in model.parameters {
        try parameter.load(Tensor(repeating: 3e38, shape: parameter.shape))
      }
      let checkpoint = try write(model, in: folder)
      let image = try png(seven(paper: 1, ink: 0), "seven.png", in: folder)
      let outcome = try Program(name: "lab", folder: folder).run(
        ["predict", "--load_checkpoint=\(checkpoint)", image])
      #expect(outcome.status == 1 && outcome.output.isEmpty)
      #expect(
        outcome.errors == "Error: \(checkpoint): expected finite outputs for \(image), got others; "
          + "the weights are too large, as those of a training that diverged\n")
    }
  }

  @Test func printsFiveLabelsForEachImageAndDrawsThem() throws {
    try withFolder { folder in
      var options = MLP.Options.defaults
      (options.fc1, options.fc2) = (16, 8)
      let checkpoint = try write(MLP(MNIST.dataConfig, options), in: folder)
      let images = try [
        png(seven(paper: 1, ink: 0), "dark.png", in: folder),
        png(seven(paper: 0, ink: 1), "light.png", in: folder),
        png(seven(paper: 1, ink: 0.6, channels: 3), "coloured.png", in: folder),
      ]
      let lab = Program(name: "lab", folder: folder)
      let outcome = try lab.run(["predict", "--load_checkpoint=\(checkpoint)"] + images)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      try #require(lines.count == 1 + 3 * 6 + 1)
      #expect(lines[0] == "Model: MLP, trained on MNIST")
      #expect(lines[1] == images[0] && lines[7] == images[1] && lines[13] == images[2])
      for line in lines[2..<7] { #expect(line.wholeMatch(of: /\s\s\d\s\s[01]\.\d{4}/) != nil) }
      // Dark on light and light on dark are the same to the network.
      #expect(lines[2..<7] == lines[8..<13])
      let figure = folder.appending(path: "output/predict/predictions.png")
      #expect(lines[19].hasSuffix("output/predict/predictions.png"))
      let picture = try Image(contentsOf: figure.path(percentEncoded: false), channels: 3)
      #expect(picture.width == 800 && picture.height > 600)
    }
  }

  @Test(arguments: ["CNN", "MLP", "ResNet", "ResNet without norm and skip"])
  func readsTheOptionsFromTheShapes(name: String) throws {
    try withFolder { folder in
      let config = EMNIST.dataConfig
      let checkpoint: String
      switch name {
      case "CNN":
        var options = CNN.Options.defaults
        (options.convDim, options.fcDim) = (3, 5)
        checkpoint = try write(CNN(config, options), in: folder)
      case "MLP":
        var options = MLP.Options.defaults
        (options.fc1, options.fc2) = (7, 5)
        checkpoint = try write(MLP(config, options), in: folder)
      default:
        var options = ResNet.Options.defaults
        (options.blocks, options.channels) = (2, 4)
        if name.hasSuffix("skip") { (options.norm, options.skip) = (.none, false) }
        checkpoint = try write(ResNet(config, options), in: folder)
      }
      let image = try png(seven(paper: 1, ink: 0), "a.png", in: folder)
      let outcome = try Program(name: "lab", folder: folder).run(
        ["predict", "--load_checkpoint", checkpoint, image])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.hasPrefix("Model: \(name.prefix { $0 != " " }), trained on EMNIST\n"))
    }
  }

  @Test func theOptionsAreInTheCheckpoint() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let training = [
        "train", "--model_class=ResNet", "--channels=4", "--data_source=synthetic",
        "--max_epochs=1", "--limit_train_batches=2", "--limit_val_batches=1",
        "--limit_test_batches=1",
      ]
      let trained = try lab.run(training + ["--pool"])
      try #require(trained.status == 0, "\(trained.errors)")
      let run = "output/logs/ResNet-MNIST-SYNTHETIC/version_0"
      let weights = folder.appending(path: "\(run)/last.safetensors").path(percentEncoded: false)
      let image = try png(seven(paper: 1, ink: 0), "a.png", in: folder)
      func predict(_ checkpoint: String, _ arguments: [String] = []) throws -> Spawned.Outcome {
        try lab.run(["predict", "--load_checkpoint", checkpoint, image] + arguments)
      }
      let pooled = try predict(weights)
      #expect(pooled.status == 0, "\(pooled.errors)")
      #expect(try predict(weights, ["--pool"]).output == pooled.output)
      let strided = try predict(weights, ["--stride"])
      #expect(strided.output != pooled.output)

      // The same weights without a header, as PyTorch would write them, and with a damaged one.
      let file = try Safetensors(contentsOf: URL(filePath: weights))
      let other = folder.appending(path: "other.safetensors")
      func predict(_ metadata: [String: String]) throws -> Spawned.Outcome {
        try Safetensors(tensors: file.tensors, integers: file.integers, metadata: metadata)
          .write(to: other)
        return try predict(other.path(percentEncoded: false))
      }
      let bare = try predict([:])
      // Model and file names differ, for the file does not say that the data were SYNTHETIC.
      #expect(
        bare.output.split(separator: "\n")[2..<7] == strided.output.split(separator: "\n")[2..<7])
      for (options, text) in [
        (#"{"halving":"?"}"#, "halving in the header: expected stride, pool, got ?"),
        ("?", "expected model_options in the header to be a JSON object of options, got ?"),
      ] {
        let outcome = try predict(["model_class": "ResNet", "model_options": options])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(text), "\(outcome.errors)")
      }

      // Training from them continues with the same network.
      let loaded = try lab.run(training + ["--stride", "--load_checkpoint", weights])
      #expect(loaded.status == 1)
      #expect(
        loaded.errors.contains(
          "expected weights of a model with --stride, got those of one with --pool; leave "),
        "\(loaded.errors)")
      for options in [training, training + ["--pool"]] {
        let again = try lab.run(options + ["--load_checkpoint", weights])
        #expect(again.status == 0, "\(again.errors)")
      }
    }
  }

  @Test func badFilesAreOneLineAndNothingIsWritten() throws {
    try withFolder { folder in
      var options = MLP.Options.defaults
      (options.fc1, options.fc2) = (4, 4)
      let checkpoint = try write(MLP(MNIST.dataConfig, options), in: folder)
      let good = try png(seven(paper: 1, ink: 0), "good.png", in: folder)
      let blank = try png(
        Image(width: 9, height: 9, values: [Float](repeating: 1, count: 81)), "blank.png",
        in: folder)
      let text = folder.appending(path: "text.png").path(percentEncoded: false)
      try "no picture".write(toFile: text, atomically: true, encoding: .utf8)
      let lab = Program(name: "lab", folder: folder)
      for (arguments, expected) in [
        (
          [checkpoint, good, text],
          "cannot read \(text): expected a PNG or JPEG file, got something else"
        ),
        ([checkpoint, good, blank], "\(blank): expected a character, got a picture of one colour"),
        ([checkpoint, "\(good)x"], "cannot read \(good)x: No such file or directory"),
        ([text, good], "expected a safetensors file, got "),
        (["\(checkpoint)x", good], "no such file or directory"),
      ] {
        try lab.expectError(["predict", "--load_checkpoint"] + arguments, expected)
      }
      let output = folder.appending(path: "output").path(percentEncoded: false)
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test func otherWeightsAreOneLine() throws {
    try withFolder { folder in
      let good = try png(seven(paper: 1, ink: 0), "good.png", in: folder)
      let lab = Program(name: "lab", folder: folder)
      for (model, expected) in [
        (Linear(3, 2) as any Layer, "expected fc3.bias, got no such tensor"),
        (Three(), "expected fc3.bias of 10 (MNIST) or 83 numbers (EMNIST), got 5"),
      ] {
        let checkpoint = try write(model, in: folder)
        let outcome = try lab.run(["predict", "--load_checkpoint", checkpoint, good])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
        #expect(outcome.errors.hasSuffix("; is it a checkpoint of lab train?\n"))
      }
    }
  }

  private struct Three: Layer {
    let fc3 = Linear(3, 5)
    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try fc3(x) }
  }
}
