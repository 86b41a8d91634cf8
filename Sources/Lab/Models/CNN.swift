import ArgumentParser
import LabNetworks
import LabTensors

/// Two convolutions of 3×3, a 2×2 max pooling and two fully connected layers, as in the course.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, as the data has them |
/// | result | N × classes: logits |
public struct CNN: Model {
  /// What the command line may change.
  public struct Options: ModelOptions {
    @Option(name: .customLong("conv_dim"), help: "Channels of both convolutions.")
    public var convDim = 64

    @Option(name: .customLong("fc_dim"), help: "Features of the hidden fully connected layer.")
    public var fcDim = 128

    public init() {}

    public func validate() throws {
      try checkSize("conv_dim", convDim, atMost: 4096)
      try checkSize("fc_dim", fcDim, atMost: 65_536)
    }
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

/// A convolution of 3×3 that keeps the image's size, and a rectifier.
public struct ConvBlock: Layer {
  public let conv: Conv2d

  /// - Parameters:
  ///   - inputChannels: Channels of the images that come in.
  ///   - outputChannels: Channels of the images that go out.
  public init(_ inputChannels: Int, _ outputChannels: Int) {
    conv = Conv2d(inputChannels, outputChannels, kernelSize: 3, stride: 1, padding: 1)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try relu(conv(x))
  }
}
