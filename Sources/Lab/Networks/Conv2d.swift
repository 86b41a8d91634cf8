import LabRandom
import LabTensors

/// A convolution with weights of its own, initialised as PyTorch's `Conv2d`; see
/// ``conv2d(_:weight:bias:stride:padding:)``.
public struct Conv2d: Layer {
  /// K channels out × C channels in × kernel size × kernel size.
  public let weight: Parameter
  /// K numbers, or nil.
  public let bias: Parameter?
  /// Pixels from one position of the kernel to the next.
  public let stride: Int
  /// Zeros around each image.
  public let padding: Int

  /// - Parameters:
  ///   - inputChannels: Channels of the images that come in.
  ///   - outputChannels: Channels of the images that go out.
  ///   - kernelSize: The height and width of the kernel, in pixels.
  ///   - stride: Pixels from one position of the kernel to the next.
  ///   - padding: Zeros around each image.
  ///   - bias: Whether a number is added to each channel out; before a normalisation, which takes
  ///     it away again, it would do nothing.
  ///   - generator: Where the initial weights come from.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernelSize: Int, stride: Int = 1,
    padding: Int = 0, bias: Bool = true, generator: Generator = .shared
  ) {
    let fanIn = inputChannels * kernelSize * kernelSize
    weight = defaultWeight(
      shape: [outputChannels, inputChannels, kernelSize, kernelSize], fanIn: fanIn,
      generator: generator)
    self.bias =
      bias ? defaultBias(count: outputChannels, fanIn: fanIn, generator: generator) : nil
    self.stride = stride
    self.padding = padding
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try conv2d(
      x, weight: weight.on(x.tape), bias: bias?.on(x.tape), stride: stride, padding: padding)
  }
}
