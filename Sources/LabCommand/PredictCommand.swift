import ArgumentParser
import Foundation
import Lab
import Plot

/// `lab predict`: classifies pictures of characters with a trained model.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Read characters in PNG files with a trained model.",
    discussion: """
      A picture may be gray or coloured, of any size, dark on light or light on dark, with a margin \
      of background. It is converted to the form of EMNIST's images. A figure of the pictures, the \
      converted images and the predictions is saved in output/predict (or below LAB_OUTPUT_DIR).

        lab predict --load_checkpoint=output/logs/CNN-EMNIST/version_0/epoch=004-….safetensors a.png
      """)

  @Option(
    name: .customLong("load_checkpoint"),
    help: ArgumentHelp("The model's weights, in safetensors format.", valueName: "file"))
  var loadCheckpoint: String

  @Flag(
    exclusivity: .chooseLast,
    help: """
      How a ResNet halves images. (default: as in the checkpoint's header, else --stride)
      """)
  var halving: ChoiceFlag<ResNet.Halving>?

  @Argument(help: ArgumentHelp("PNG files, one character each.", valueName: "image"))
  var images: [String]

  /// The number of labels printed for an image.
  private static let likeliest = 5
  /// The number of images in the figure, which would become too high.
  private static let shown = 40

  /// A picture, the image given to the model, and the likeliest labels.
  private struct Reading {
    let path: String
    let picture: Image
    let seen: Image
    let labels: [String]
    let probabilities: [Double]
  }

  func run() throws {
    let checkpoint = try CheckpointedModel(
      URL(filePath: loadCheckpoint), halving: halving?.choice)
    // Everything is read before anything is printed or written: either all of it works or nothing.
    let readings = try images.map { try read($0, checkpoint) }
    let data = checkpoint.dataClass.map {
      ", trained on \(checkpoint.isSynthetic ? "SYNTHETIC " : "")\($0)"
    }
    let title = checkpoint.configuration.modelClass + (data ?? "")
    print("Model: \(title)")
    for reading in readings {
      print(reading.path)
      for (label, probability) in zip(reading.labels, reading.probabilities) {
        print("  \(label)  " + String(format: "%.4f", probability))
      }
    }
    let file = OutputFolder.url.appending(
      path: "predict/predictions\(checkpoint.isSynthetic ? "-SYNTHETIC" : "").png")
    let drawn = Array(readings.prefix(Self.shown))
    try figure(of: drawn, title: title).save(to: file.relativePath)
    let part = drawn.count < readings.count ? " (the first \(drawn.count) images)" : ""
    print("Figure: \(file.relativePath)\(part)")
  }

  private func read(_ path: String, _ checkpoint: CheckpointedModel) throws -> Reading {
    var picture = try Image(contentsOf: path)
    if picture.values.allSatisfy({ $0 == picture.values[0] }) {
      // White on transparent cannot be seen on a white background.
      picture = try Image(contentsOf: path, background: 0)
    }
    let character = try CharacterImage(
      gray: picture.values, width: picture.width, height: picture.height, named: path)
    let side = CharacterImage.side
    var pixels = character.pixels
    if checkpoint.dataClass == MNIST.name {
      let (mean, deviation) = MNIST.normalization
      pixels = pixels.map { ($0 - mean) / deviation }
    }
    let probabilities = softmax(
      try checkpoint.model(Tensor(pixels, shape: [1, 1, side, side]))
    ).elements
    let best = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }
      .prefix(Self.likeliest)
    return Reading(
      path: path, picture: picture,
      seen: Image(width: side, height: side, values: character.pixels),
      labels: best.map { checkpoint.config.mapping[$0] },
      probabilities: best.map { Double(probabilities[$0]) })
  }

  /// For each image: the picture, the image given to the model, and the likeliest labels.
  private func figure(of readings: [Reading], title: String) -> Figure {
    var figure = Figure(
      size: (8, 0.5 + 2.4 * Double(readings.count)), rows: readings.count, columns: 3)
    figure.supertitle = title
    for (row, reading) in readings.enumerated() {
      figure[row, 0].imshow(reading.picture, range: 0...1)
      figure[row, 0].title = URL(filePath: reading.path).lastPathComponent
      figure[row, 1].imshow(reading.seen, range: 0...1)
      figure[row, 1].title = "what the network saw"
      figure[row, 2].barh(reading.labels, reading.probabilities, decimals: 3)
      figure[row, 2].xlim = 0...1.3
      figure[row, 2].title = "probability"
    }
    return figure
  }
}
