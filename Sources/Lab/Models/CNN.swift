import LabNetworks
import LabTensors

/// The course's CNN: two 3×3 convolutions, 2×2 max pooling and two fully connected layers.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, the images |
/// | result | N × classes, the logits |
public struct CNN: Model {
  /// The options of a ``CNN``.
  public struct Options: ModelOptions {
    /// Channels of both convolutions.
    public var convDim = 64
    /// Features of the hidden fully connected layer.
    public var fcDim = 128

    public init() {}

    public static let fields: [OptionField<Self>] = [
      .size("conv_dim", \.convDim, 1...4096, help: "Channels of both convolutions."),
      .size("fc_dim", \.fcDim, 1...65_536, help: "Features of the hidden fully connected layer."),
    ]
  }

  public let conv1, conv2: ConvBlock
  public let maxPool = MaxPool2d(2)
  public var dropout = Dropout(0.25)
  public let fc1, fc2: Linear

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    let (channels, height, width) = (data.inputDims[0], data.inputDims[1], data.inputDims[2])
    conv1 = ConvBlock(channels, options.convDim)
    conv2 = ConvBlock(options.convDim, options.convDim)
    fc1 = Linear(options.convDim * (height / 2) * (width / 2), options.fcDim)
    fc2 = Linear(options.fcDim, data.mapping.count)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try conv1(x)
    x = try conv2(x)
    x = try maxPool(x)
    x = dropout(x)
    x = try flatten(x)
    x = try relu(fc1(x))
    return try fc2(x)
  }
}

/// A convolution and a ReLU; by default the convolution is 3×3 with padding 1, which keeps the image's
/// size.
public struct ConvBlock: Layer {
  public let conv: Conv2d

  /// - Parameters:
  ///   - inputChannels: Channels of the input.
  ///   - outputChannels: Channels of the result.
  ///   - kernelSize: The height and width of the kernel.
  ///   - stride: Pixels from one position of the kernel to the next, down and across.
  ///   - padding: Zeros around each image.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernelSize: (Int, Int) = (3, 3),
    stride: (Int, Int) = (1, 1), padding: (Int, Int) = (1, 1)
  ) {
    conv = Conv2d(
      inputChannels, outputChannels, kernelSize: kernelSize, stride: stride, padding: padding)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try relu(conv(x))
  }
}
