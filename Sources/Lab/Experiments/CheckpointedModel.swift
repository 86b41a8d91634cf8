import Foundation
import LabData
import LabDatasets
import LabModels
import LabNetworks
import LabTensors
import LabTraining

/// A trained model, built from its checkpoint alone.
///
/// ```swift
/// let checkpoint = try CheckpointedModel(URL(filePath: "last.safetensors"))
/// let probabilities = softmax(try checkpoint.model(x))
/// checkpoint.config.mapping  // the text of each label
/// ```
public struct CheckpointedModel {
  /// The network with its weights.
  public let model: any Model
  /// The model's class and options.
  public let configuration: ModelConfiguration
  /// The shape of the images, and the classes.
  public let config: DataConfig
  /// The name of the data set that it was trained on; nil if the file does not have it.
  public let dataClass: String?
  /// Whether the program drew the images that it was trained on.
  public let isSynthetic: Bool
  /// The loss that it was trained with, as `--loss` takes it; nil if the file does not have it.
  public let loss: String?

  /// The key of the loss in the header of a checkpoint.
  package static let lossKey = "loss"

  /// Builds the network of a checkpoint.
  ///
  /// The header of a checkpoint of `lab train` names the model, its options and the data. For a
  /// file without them, such as one that PyTorch wrote, the options of the course's models are read
  /// from the shapes of its tensors.
  ///
  /// - Parameters:
  ///   - url: The checkpoint, or the folder of a run.
  ///   - halving: How a ``ResNet`` halves images, if not as the header says; without a header,
  ///     strides are the default.
  ///   - registry: The models to choose from.
  /// - Throws: ``DataError`` if the file is damaged, or is not a checkpoint of one of the models.
  public init(
    _ url: URL, halving: ResNet.Halving? = nil, registry: ModelRegistry = .current
  ) throws {
    let url = try Checkpoint.file(at: url)
    let file = try Safetensors(contentsOf: url)
    let header = try CheckpointHeader(file, at: url, registry: registry)
    let weights = ShapeReader(file: Checkpoint.withoutPrefixes(file), url: url)
    var (config, dataClass) = (header.config, header.dataClass)
    var configuration: ModelConfiguration
    if let recorded = header.configuration, let dims = config {
      try header.check(recorded, dims, against: file)
      configuration = recorded
    } else {
      let read = try weights.read(modelClass: file.metadata["model_class"], config)
      configuration = header.configuration ?? read.configuration
      (config, dataClass) = (read.config, dataClass ?? read.dataClass)
    }
    if let halving, configuration.modelClass == modelName(ResNet.self) {
      let options = configuration.options.merging(["halving": .text(halving.rawValue)]) { $1 }
      configuration = try ModelConfiguration(modelName(ResNet.self), options, registry: registry)
    }
    guard let config else { throw weights.refusal("data_config in the header", "none") }
    try configuration.check(for: config, against: file, at: url)
    model = configuration.model(for: config)
    try Checkpoint.load(file, of: url, into: model)
    (self.configuration, self.config, self.dataClass) = (configuration, config, dataClass)
    isSynthetic = file.metadata["data_source"] == "SYNTHETIC"
    loss = file.metadata[Self.lossKey].map { printable($0) }
  }
}

/// What the header of a checkpoint says of its model and data.
struct CheckpointHeader {
  /// The model and its options; nil if the file does not have both.
  let configuration: ModelConfiguration?
  /// The shape of the images, and the classes; nil if the file does not have them.
  let config: DataConfig?
  /// The name of the data set; nil if the file does not have it.
  let dataClass: String?
  private let path: String

  /// - Throws: ``DataError`` if the header has them, but they cannot be used.
  init(_ file: Safetensors, at url: URL, registry: ModelRegistry = .current) throws {
    path = url.path(percentEncoded: false)
    dataClass = file.metadata["data_class"].map { printable($0) }
    let options = try Checkpoint.modelOptions(of: file, at: url)
    if let name = file.metadata["model_class"], !options.isEmpty {
      do {
        configuration = try ModelConfiguration(printable(name), options, registry: registry)
      } catch {
        throw DataError(.damaged, "\(path): \(error.option) in the header: \(error.problem)")
      }
    } else {
      configuration = nil
    }
    config = try file.metadata["data_config"].map { text in
      guard let config = try? JSONDecoder().decode(DataConfig.self, from: Data(text.utf8)),
        config.inputDims.count == 3, config.inputDims.allSatisfy({ (1...65_535).contains($0) }),
        config.inputDims.reduce(1, *) <= 1 << 26, !config.mapping.isEmpty
      else {
        throw DataError(
          .damaged,
          "\(url.path(percentEncoded: false)): data_config in the header: expected input_dims of "
            + "channels, rows and columns, output_dims and mapping, got \(printable(text))")
      }
      return config
    }
  }

  /// Checks that the file has tensors with the sizes in the header, so that a damaged header cannot
  /// ask for a much larger network.
  func check(
    _ configuration: ModelConfiguration, _ config: DataConfig, against file: Safetensors
  ) throws {
    let extents = Set(file.tensors.values.flatMap(\.shape))
    var sizes = [("classes", config.mapping.count)]
    for option in configuration.descriptions {
      if case .size = option.kind, case .int(let size)? = configuration.options[option.name] {
        sizes.append((option.name, size))
      }
    }
    for (name, size) in sizes where !extents.contains(size) {
      throw DataError(
        .damaged,
        "\(path): \(name) in the header: expected the extent of a tensor in the file, got \(size)")
    }
  }
}

/// Reads the options of the course's models from the shapes of their tensors, for files without a
/// configuration in the header.
///
/// Each size is an extent of a tensor in the file, so that no network is built that is larger.
private struct ShapeReader {
  let file: Safetensors
  let url: URL

  /// The model and its options, and the data set with that number of classes.
  ///
  /// - Parameters:
  ///   - modelClass: The model, if the header names it.
  ///   - known: The shape of the images and the classes, if the header has them.
  func read(
    modelClass: String?, _ known: DataConfig?
  ) throws -> (configuration: ModelConfiguration, config: DataConfig, dataClass: String?) {
    let modelClass = modelClass ?? modelName(likeliest)
    let last = [
      modelName(CNN.self): "fc2", modelName(MLP.self): "fc3", modelName(ResNet.self): "fc",
    ]
    guard let layer = last[modelClass] else {
      throw refusal(
        "model_options and data_config in the header of a checkpoint of \(printable(modelClass))",
        "none")
    }
    let classes = try extent("\(layer).bias")
    let sets = [MNIST.name: MNIST.dataConfig, EMNIST.name: EMNIST.dataConfig]
    let set = sets.first { $0.value.mapping.count == classes }
    guard let config = known ?? set?.value else {
      throw refusal("\(layer).bias of 10 (MNIST) or 83 numbers (EMNIST)", "\(classes)")
    }
    let configuration =
      switch layer {
      case "fc2": ModelConfiguration(CNN.self, try cnn(config))
      case "fc3": ModelConfiguration(MLP.self, try mlp(config))
      default: ModelConfiguration(ResNet.self, try resNet())
      }
    return (configuration, config, set?.key)
  }

  /// The model with these names of tensors.
  private var likeliest: any Model.Type {
    let first: KeyValuePairs<String, any Model.Type> = [
      "stem.conv.weight": ResNet.self, "conv1.conv.weight": CNN.self,
      "convs.0.conv.weight": LineCNN.self,
      "line_cnn.convs.0.conv.weight": LineCNNLSTM.self,
      "cnn.conv1.conv.weight": LineCNNSimple.self,
    ]
    return first.first { has($0.key) }?.value ?? MLP.self
  }

  func refusal(_ expected: String, _ got: String) -> DataError {
    DataError(
      .damaged,
      "\(url.path(percentEncoded: false)): expected \(expected), got \(got); is it a checkpoint of "
        + "lab train?")
  }

  private func has(_ name: String) -> Bool { file.tensors[name] != nil }

  /// The first extent of a tensor, at least 1.
  private func extent(_ name: String) throws -> Int {
    guard let extent = file.tensors[name]?.shape.first, extent > 0 else {
      throw refusal(name, file.tensors[name].map { "shape \($0.shape)" } ?? "no such tensor")
    }
    return extent
  }

  /// Checks that there is a tensor of a shape.
  private func expect(_ name: String, _ shape: [Int]) throws {
    guard file.tensors[name]?.shape == shape else {
      throw refusal(
        "\(name) of shape \(shape)", file.tensors[name].map { "\($0.shape)" } ?? "no such tensor")
    }
  }

  private func cnn(_ config: DataConfig) throws -> CNN.Options {
    var options = CNN.Options.defaults
    options.convDim = try extent("conv1.conv.weight")
    options.fcDim = try extent("fc1.weight")
    try expect("conv2.conv.weight", [options.convDim, options.convDim, 3, 3])
    try expect(
      "fc1.weight",
      [options.fcDim, options.convDim * (config.inputDims[1] / 2) * (config.inputDims[2] / 2)])
    return options
  }

  private func mlp(_ config: DataConfig) throws -> MLP.Options {
    var options = MLP.Options.defaults
    options.fc1 = try extent("fc1.weight")
    options.fc2 = try extent("fc2.weight")
    try expect("fc1.weight", [options.fc1, config.inputDims.reduce(1, *)])
    try expect("fc2.weight", [options.fc2, options.fc1])
    return options
  }

  private func resNet() throws -> ResNet.Options {
    var options = ResNet.Options.defaults
    options.channels = try extent("stem.conv.weight")
    let count = (0...).first { !has("blocks.\($0).conv2.conv.weight") } ?? 0
    guard count > 0, count % 3 == 0 else {
      throw refusal("three stages of residual blocks", "\(count) blocks")
    }
    options.blocks = count / 3
    for block in 0..<count {
      let width = options.channels << (block / options.blocks)
      try expect("blocks.\(block).conv2.conv.weight", [width, width, 3, 3])
    }
    options.norm = has("stem.norm.weight") ? .batch : .none
    options.skip = has("blocks.\(options.blocks).shortcut.conv.weight")
    return options
  }
}
