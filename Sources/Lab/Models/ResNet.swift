import LabNetworks
import LabTensors

/// A residual network of basic blocks for small images, modelled on torchvision's ResNet-18.
///
/// The first convolution is 3×3; max pooling may follow it, as in ResNet-18. Each stage but the first halves
/// the image and doubles the channels.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, the images |
/// | result | N × classes, the logits |
///
/// Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.
public struct ResNet: Model {
  /// The options of a ``ResNet``.
  public struct Options: ModelOptions {
    /// The number of stages.
    public var stages = 3
    /// Residual blocks in each stage.
    public var blocks = 1
    /// Channels of the first stage; each of the next ones has twice as many as the one before.
    public var channels = 16
    /// Channels of the first convolution; 0 for as many as in the first stage.
    public var stemChannels = 0
    /// Whether 2×2 max pooling follows the first convolution.
    public var stemPool = false
    /// The layer after each convolution.
    public var norm = Norm.batch
    /// How stages halve the image.
    public var halving = Halving.stride
    /// Whether each block adds its input to its result.
    public var skip = true

    public init() {}

    public static let fields: [OptionField<Self>] = [
      .int("stages", \.stages, 1...5, help: "The number of stages."),
      .int("blocks", \.blocks, 1...100, help: "Residual blocks in each stage."),
      .size(
        "channels", \.channels, 1...1024,
        help: "Channels of the first stage; each of the next ones has twice as many."),
      .int(
        "stem_channels", \.stemChannels, 0...1024,
        help: "Channels of the first convolution; 0: as many as in the first stage."),
      .flag(
        "stem_pool", \.stemPool, help: "Halve images by max pooling after the first convolution."),
      .choice("norm", \.norm, help: "The layer after each convolution: batch, none."),
      .flags(
        "halving", \.halving, help: "Halve images by convolutions of stride 2, or by max pooling."),
      .bool("skip", \.skip, help: "Whether each block adds its input to its result: true, false."),
    ]
  }

  /// The layer after a convolution.
  public enum Norm: String, OptionChoice {
    /// Batch normalization.
    case batch
    /// None; the convolutions then have biases.
    case none
  }

  /// How an image's height and width are halved.
  public enum Halving: String, OptionChoice {
    /// By a convolution of stride 2.
    case stride
    /// By 2×2 max pooling before the convolution.
    case pool
  }

  // BEGIN SOLUTION: the network of ResNet.swift
  // STUB: public let fc: Linear
  // STUB:
  // STUB: public init(_ data: DataConfig, _ options: Options = .defaults) {
  // STUB:   fc = Linear(data.inputDims.reduce(1, *), data.mapping.count)
  // STUB: }
  // STUB:
  // STUB: public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
  // STUB:   // A single layer, until the network is written.
  // STUB:   try fc(flatten(x))
  // STUB: }
  public let stem: ConvNorm
  public let pool: MaxPool2d?
  public let blocks: [ResidualBlock]
  public let fc: Linear

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    let stemChannels = options.stemChannels > 0 ? options.stemChannels : options.channels
    stem = ConvNorm(data.inputDims[0], stemChannels, options.norm)
    pool = options.stemPool ? MaxPool2d(2) : nil
    var (blocks, channels) = ([ResidualBlock](), stemChannels)
    for stage in 0..<options.stages {
      for index in 0..<options.blocks {
        let width = options.channels << stage
        let halves = stage > 0 && index == 0
        blocks.append(ResidualBlock(channels, width, halves: halves, options))
        channels = width
      }
    }
    self.blocks = blocks
    fc = Linear(channels, data.mapping.count)
    // As in torchvision, all convolutions are initialised again at the end.
    for weight in parameters where weight.shape.count == 4 { kaimingNormal(weight) }
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try relu(stem(x))
    if let pool { x = try pool(x) }
    for block in blocks { x = try block(x) }
    x = try globalAveragePool(x)
    return try fc(x)
  }
  // END SOLUTION
}

// BEGIN SOLUTION: the blocks of ResNet.swift
// STUB: // The layers of the network, such as its residual block.
/// `relu(x + F(x))`, where F is two 3×3 convolutions.
///
/// If F changes the shape, a 1×1 convolution gives x the same shape. With
/// ``ResNet/Halving/pool``, x is max pooled first. Without skip connections the block is
/// `relu(F(x))`.
public struct ResidualBlock: Layer {
  public let pool: MaxPool2d?
  public let conv1, conv2: ConvNorm
  public let shortcut: ConvNorm?
  public let skip: Bool

  /// - Parameters:
  ///   - inputChannels: Channels of the input.
  ///   - outputChannels: Channels of the result.
  ///   - halves: Whether the result has half the height and width.
  ///   - options: The model's options.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, halves: Bool, _ options: ResNet.Options = .defaults
  ) {
    let stride = halves && options.halving == .stride ? 2 : 1
    pool = halves && options.halving == .pool ? MaxPool2d(2) : nil
    conv1 = ConvNorm(inputChannels, outputChannels, stride: stride, options.norm)
    conv2 = ConvNorm(outputChannels, outputChannels, options.norm)
    let changesShape = stride > 1 || inputChannels != outputChannels
    shortcut =
      options.skip && changesShape
      ? ConvNorm(inputChannels, outputChannels, kernelSize: 1, stride: stride, options.norm) : nil
    skip = options.skip
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let x = try pool?(x) ?? x
    let y = try conv2(relu(conv1(x)))
    guard skip else { return relu(y) }
    return try relu(y + (shortcut?(x) ?? x))
  }
}

/// A convolution with padding `kernelSize / 2`, and batch normalization.
public struct ConvNorm: Layer {
  public let conv: Conv2d
  public let norm: BatchNorm2d?

  /// - Parameters:
  ///   - inputChannels: Channels of the input.
  ///   - outputChannels: Channels of the result.
  ///   - kernelSize: The height and width of the kernel; odd.
  ///   - stride: The stride of the convolution.
  ///   - norm: The layer after the convolution.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernelSize: Int = 3, stride: Int = 1,
    _ norm: ResNet.Norm = .batch
  ) {
    conv = Conv2d(
      inputChannels, outputChannels, kernelSize: kernelSize, stride: stride,
      padding: kernelSize / 2, bias: norm == .none)
    self.norm = norm == .batch ? BatchNorm2d(outputChannels) : nil
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let y = try conv(x)
    return try norm?(y) ?? y
  }
}
// END SOLUTION
