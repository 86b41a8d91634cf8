import ArgumentParser
import Foundation
import Lab
import Plot

/// `lab predict`: classifies pictures with a trained model.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify pictures with a trained model.",
    discussion: """
      A picture is a PNG or JPEG file. One of a character may be gray or coloured, of any size, dark on \
      light or light on dark, with a margin of background; a photograph may have shadows. It is \
      converted to the form of EMNIST's images. For a model that was trained on data class Folder, a picture is resized like the images of the folder. A figure \
      of the pictures, the model's inputs and the predictions is saved in output/predict (or below \
      LAB_OUTPUT_DIR).

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

  @OptionGroup(title: "Device") var device: DeviceOptions

  @Argument(help: ArgumentHelp("PNG or JPEG files, one image each.", valueName: "image"))
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
    // Everything is read before anything is printed or written: either all of it works or nothing.
    let (found, used) = try device.compute { device in
      let checkpoint = try CheckpointedModel(
        URL(filePath: loadCheckpoint), halving: halving?.choice)
      checkpoint.model.to(device)
      return (checkpoint, try images.map { try read($0, checkpoint) })
    }
    let (checkpoint, readings) = found
    for line in device.lines(about: used) { print(line) }
    let data = checkpoint.dataClass.map {
      ", trained on \(checkpoint.isSynthetic ? "SYNTHETIC " : "")\($0)"
    }
    let title = checkpoint.configuration.modelClass + (data ?? "")
    print("Model: \(title)")
    for reading in readings {
      print(printable(reading.path, limit: .max))
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
    let (picture, seen, x) = try input(path, checkpoint)
    let probabilities = softmax(try checkpoint.model(x.to(checkpoint.model.device))).elements
    guard probabilities.allSatisfy(\.isFinite) else {
      throw DataError(
        .damaged,
        "\(loadCheckpoint): expected finite outputs for \(path), got others; the weights are too large, "
          + "as those of a training that diverged")
    }
    let best = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }
      .prefix(Self.likeliest)
    return Reading(
      path: path, picture: picture, seen: seen,
      labels: best.map { checkpoint.config.mapping[$0] },
      probabilities: best.map { Double(probabilities[$0]) })
  }

  /// The picture in a file, and the model's input for it: as an image, and as a batch.
  private func input(
    _ path: String, _ checkpoint: CheckpointedModel
  ) throws -> (picture: Image, seen: Image, x: Tensor) {
    let dims = checkpoint.config.inputDims
    if checkpoint.dataClass == ImageFolder.name {
      let x = try ImageFolder.input(URL(filePath: path), dims: dims)
      return (try Image(contentsOf: path, channels: dims[0]), Image(x[0]), x)
    }
    let side = CharacterImage.side
    guard dims == [1, side, side], checkpoint.config.outputDims == [1] else {
      throw DataError(
        .unusable,
        "\(loadCheckpoint): expected a model of \(side)×\(side) gray images of characters, or of "
          + "data class Folder, got one of \(checkpoint.dataClass ?? "other data") with images of "
          + dims.map(String.init).joined(separator: "×"))
    }
    let picture = try CharacterPicture(contentsOf: URL(filePath: path))
    let character = picture.character
    var pixels = character.pixels
    if checkpoint.dataClass == MNIST.name {
      let (mean, deviation) = MNIST.normalization
      pixels = pixels.map { ($0 - mean) / deviation }
    }
    return (
      Image(width: picture.width, height: picture.height, values: picture.gray),
      Image(width: side, height: side, values: character.pixels),
      Tensor(pixels, shape: [1] + dims)
    )
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
