import Foundation
import Lab

/// A model as a checkpoint has it, with the options that its weights' shapes and its header tell.
struct CheckpointedModel {
  /// The network, with its weights.
  let model: any Model
  /// Which one it is.
  let modelClass: ModelClass
  /// What it was trained on.
  let dataClass: DataClass
  /// Whether the images that it was trained on were drawn by the program.
  let isSynthetic: Bool
  /// What its classes stand for.
  let config: DataConfig

  /// Builds the network of a checkpoint.
  ///
  /// - Parameters:
  ///   - url: The checkpoint, ours or one that PyTorch wrote for the same network.
  ///   - halving: How a residual network makes images smaller, which leaves no trace in its weights;
  ///     nil for what the header says, or strides if it says nothing.
  /// - Throws: ``DataError`` if the file is damaged or no such checkpoint.
  init(_ url: URL, halving: ResNet.Halving?) throws {
    let weights = try Weights(url)
    let metadata = weights.file.metadata
    let modelClass =
      metadata["model_class"].flatMap(ModelClass.init)
      ?? (weights.has("stem.conv.weight")
        ? .ResNet : weights.has("conv1.conv.weight") ? .CNN : .MLP)
    let last = [ModelClass.CNN: "fc2", .MLP: "fc3", .ResNet: "fc"][modelClass] ?? "fc"
    let classes = try weights.extent("\(last).bias")
    let configs = [DataClass.MNIST: MNIST.dataConfig, .EMNIST: EMNIST.dataConfig]
    guard let (dataClass, config) = configs.first(where: { $1.mapping.count == classes }) else {
      throw weights.refusal("\(last).bias of 10 (MNIST) or 83 numbers (EMNIST)", "\(classes)")
    }
    let model: any Model =
      switch modelClass {
      case .CNN: CNN(config, try weights.cnn(config))
      case .MLP: MLP(config, try weights.mlp(config))
      case .ResNet:
        ResNet(config, try weights.resNet(halving ?? weights.recordedHalving ?? .stride))
      }
    try Checkpoint.load(url, into: model)
    (self.model, self.modelClass, self.config, self.dataClass) = (
      model, modelClass, config, dataClass
    )
    isSynthetic = metadata["data_source"] == "SYNTHETIC"
  }
}

/// A checkpoint's tensors, to read a model's options from their shapes.
///
/// Each shape is one that the file really has, so that no network is built that is larger.
private struct Weights {
  let file: Safetensors
  private let url: URL
  private var path: String { url.path(percentEncoded: false) }

  init(_ url: URL) throws {
    self.url = url
    file = try Safetensors(contentsOf: url)
  }

  func has(_ name: String) -> Bool { file.tensors[name] != nil }

  /// The first extent of a tensor, at least 1.
  func extent(_ name: String) throws -> Int {
    guard let extent = file.tensors[name]?.shape.first, extent > 0 else {
      throw refusal(name, file.tensors[name].map { "shape \($0.shape)" } ?? "no such tensor")
    }
    return extent
  }

  /// Checks that there is a tensor of a shape.
  func expect(_ name: String, _ shape: [Int]) throws {
    guard file.tensors[name]?.shape == shape else {
      throw refusal(
        "\(name) of shape \(shape)", file.tensors[name].map { "\($0.shape)" } ?? "no such tensor")
    }
  }

  /// How images were made smaller, where `lab train` wrote the file.
  var recordedHalving: ResNet.Halving? {
    get throws {
      guard let text = try Checkpoint.modelOptions(of: file, at: url)["halving"] else { return nil }
      guard let halving = ResNet.Halving.allCases.first(where: { "\($0)" == text }) else {
        throw refusal("halving by stride or pool", printable(text))
      }
      return halving
    }
  }

  func refusal(_ expected: String, _ got: String) -> DataError {
    DataError(
      .damaged,
      "\(path): expected \(expected), got \(got); is it a checkpoint of lab train?")
  }

  func cnn(_ config: DataConfig) throws -> CNN.Options {
    var options = CNN.Options.defaults
    options.convDim = try extent("conv1.conv.weight")
    options.fcDim = try extent("fc1.weight")
    try expect("conv2.conv.weight", [options.convDim, options.convDim, 3, 3])
    try expect(
      "fc1.weight",
      [options.fcDim, options.convDim * (config.inputDims[1] / 2) * (config.inputDims[2] / 2)])
    return options
  }

  func mlp(_ config: DataConfig) throws -> MLP.Options {
    var options = MLP.Options.defaults
    options.fc1 = try extent("fc1.weight")
    options.fc2 = try extent("fc2.weight")
    try expect("fc1.weight", [options.fc1, config.inputDims.reduce(1, *)])
    try expect("fc2.weight", [options.fc2, options.fc1])
    return options
  }

  func resNet(_ halving: ResNet.Halving) throws -> ResNet.Options {
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
    options.halving = halving
    return options
  }
}
