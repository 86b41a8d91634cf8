import ArgumentParser
import LabNetworks
import LabTensors

/// A residual network of basic blocks, after the official ResNet-18, for small images: its first
/// convolution is 3×3, and three stages halve the image twice and double the channels twice.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, as the data has them |
/// | result | N × classes: logits |
///
/// Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.
public struct ResNet: Model {
  /// What the command line may change.
  public struct Options: ModelOptions {
    @Option(help: "Residual blocks in each of the three stages.")
    public var blocks = 1

    @Option(help: "Channels of the first stage; the next ones have twice and four times as many.")
    public var channels = 16

    @Option(
      help: choices("What follows each convolution", default: Norm.batch),
      transform: { try choice($0) })
    public var norm = Norm.batch

    @Flag(
      exclusivity: .chooseLast,
      help: "Halve images by convolutions of stride 2, or by max pooling.")
    public var halving = Halving.stride

    @Option(
      help: "Whether each block adds what comes in to what goes out: true, false.",
      transform: { try trueOrFalse($0) })
    public var skip = true

    public init() {}

    public func validate() throws {
      try checkSize("blocks", blocks, atMost: 100)
      try checkSize("channels", channels, atMost: 1024)
    }
  }

  /// What follows a convolution.
  public enum Norm: String, CaseIterable, Sendable {
    case batch, none
  }

  /// How an image becomes half as high and wide.
  public enum Halving: EnumerableFlag, Sendable {
    case stride, pool
  }

  public let stem: ConvNorm
  public let blocks: [ResidualBlock]
  public let fc: Linear

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    stem = ConvNorm(data.inputDims[0], options.channels, options.norm)
    var (blocks, channels) = ([ResidualBlock](), options.channels)
    for stage in 0..<3 {
      for place in 0..<options.blocks {
        let width = options.channels << stage
        let halves = stage > 0 && place == 0
        blocks.append(ResidualBlock(channels, width, halves: halves, options))
        channels = width
      }
    }
    self.blocks = blocks
    fc = Linear(channels, data.mapping.count)
    // As in the official one, all convolutions get new weights at the end.
    for weight in parameters where weight.shape.count == 4 { kaimingNormal(weight) }
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try relu(stem(x))
    for block in blocks { x = try block(x) }
    x = try globalAveragePool(x)
    return try fc(x)
  }
}

/// `relu(x + F(x))` with two convolutions of 3×3 in F; where shapes change, x takes a shortcut
/// through a convolution of 1×1.
public struct ResidualBlock: Layer {
  public let pool: MaxPool2d?
  public let conv1, conv2: ConvNorm
  public let shortcut: ConvNorm?
  public let skip: Bool

  /// - Parameters:
  ///   - inputChannels: Channels of the images that come in.
  ///   - outputChannels: Channels of the images that go out.
  ///   - halves: Whether they are half as high and wide.
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

/// A convolution that keeps the image's size, but for its stride, and a normalisation.
public struct ConvNorm: Layer {
  public let conv: Conv2d
  public let norm: BatchNorm2d?

  /// - Parameters:
  ///   - inputChannels: Channels of the images that come in.
  ///   - outputChannels: Channels of the images that go out.
  ///   - kernelSize: The height and width of the kernel, an odd number of pixels.
  ///   - stride: Pixels from one position of the kernel to the next.
  ///   - norm: What follows the convolution.
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
