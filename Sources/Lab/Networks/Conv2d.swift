import LabRandom
import LabTensors

/// A convolution with weights of its own, initialized as PyTorch's `Conv2d`; see `conv2d`.
public struct Conv2d: Layer {
  /// K output channels × C / groups input channels × kernel height × kernel width.
  public let weight: Parameter
  /// K numbers, or nil.
  public let bias: Parameter?
  /// Pixels from one position of the kernel to the next, down and across.
  public let stride: (Int, Int)
  /// Zeros above and below, and on the left and right, of each image.
  public let padding: (Int, Int)
  /// Pixels from one element of the kernel to the next, down and across.
  public let dilation: (Int, Int)
  /// The number of groups of channels.
  public let groups: Int

  /// - Parameters:
  ///   - inputChannels: The channels of the input images.
  ///   - outputChannels: The channels of the output images.
  ///   - kernelSize: The height and width of the kernel, in pixels.
  ///   - stride: Pixels from one position of the kernel to the next.
  ///   - padding: Zeros around each image.
  ///   - dilation: Pixels from one element of the kernel to the next.
  ///   - groups: The number of groups of channels; must divide both numbers of channels.
  ///   - bias: Whether a number is added to each output channel. Before batch normalization, which
  ///     subtracts the mean, it would have no effect.
  ///   - generator: The source of the initial weights.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernelSize: Int, stride: Int = 1,
    padding: Int = 0, dilation: Int = 1, groups: Int = 1, bias: Bool = true,
    generator: Generator = .shared
  ) {
    self.init(
      inputChannels, outputChannels, kernelSize: (kernelSize, kernelSize),
      stride: (stride, stride), padding: (padding, padding), dilation: (dilation, dilation),
      groups: groups, bias: bias, generator: generator)
  }

  /// A convolution with a rectangular kernel: each pair is a number for the height and one for the
  /// width.
  public init(
    _ inputChannels: Int, _ outputChannels: Int, kernelSize: (Int, Int),
    stride: (Int, Int) = (1, 1), padding: (Int, Int) = (0, 0), dilation: (Int, Int) = (1, 1),
    groups: Int = 1, bias: Bool = true, generator: Generator = .shared
  ) {
    precondition(
      groups >= 1 && inputChannels % groups == 0 && outputChannels % groups == 0,
      "Conv2d expects groups that divide \(inputChannels) input and \(outputChannels) output "
        + "channels, got \(groups)")
    let fanIn = inputChannels / groups * kernelSize.0 * kernelSize.1
    weight = defaultWeight(
      shape: [outputChannels, inputChannels / groups, kernelSize.0, kernelSize.1], fanIn: fanIn,
      generator: generator)
    self.bias =
      bias ? defaultBias(count: outputChannels, fanIn: fanIn, generator: generator) : nil
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
    self.groups = groups
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try conv2d(
      x, weight: weight.on(x.tape), bias: bias?.on(x.tape), stride: stride, padding: padding,
      dilation: dilation, groups: groups)
  }
}
