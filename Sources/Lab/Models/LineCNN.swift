import LabNetworks
import LabTensors

/// The course's network for lines: convolutions that halve the line three times, one that looks through
/// windows of the line, and two fully connected layers for each window.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, the lines |
/// | result | N × classes × S steps, the logits |
///
/// A window is `windowWidth / 8 · 8` pixels wide, and the next one begins `windowStride / 8 · 8` pixels
/// further on: the convolutions before have divided the width by 8, so that widths from 24 to 31 are the
/// same. A line of 896 pixels has 55 steps with windows of 28 pixels and a stride of 16 to 23.
///
/// Source: FSDL 2021, lab 3.
public struct LineCNN: LineModel {
  /// The options of a ``LineCNN``.
  public struct Options: ModelOptions {
    /// Channels of the first convolutions; the later ones have two and four times as many.
    public var convDim = 32
    /// Features of a window.
    public var fcDim = 512
    /// The width of a window in pixels.
    public var windowWidth = 16
    /// Pixels from one window to the next.
    public var windowStride = 8
    /// Whether there are no more steps than a line has labels.
    public var limitOutputLength = false

    public init() {}

    public static let fields: [OptionField<Self>] = [
      .size(
        "conv_dim", \.convDim, 1...1024,
        help: "Channels of the first convolutions; later ones have 2 and 4 times as many."),
      .size("fc_dim", \.fcDim, 1...65_536, help: "Features of a window."),
      .int(
        "window_width", \.windowWidth, 8...4096,
        help: "The width of the windows of a line in pixels, rounded down to a multiple of 8."),
      .int(
        "window_stride", \.windowStride, 8...4096,
        help: "Pixels from one window to the next, rounded down to a multiple of 8."),
      .flag(
        "limit_output_length", \.limitOutputLength,
        help: "Leave out the outputs after as many as a line has labels."),
    ]
  }

  public let convs: Sequential
  public let fc1: Linear
  public var dropout = Dropout(0.2)
  public let fc2: Linear
  public let window: LineWindow
  /// The number of steps, at most; nil for all.
  let maxSteps: Int?

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    let (channels, width) = (data.inputDims[0], options.convDim)
    let kernel = Self.lastKernel(options, data)
    convs = Sequential(
      ConvBlock(channels, width),
      ConvBlock(width, width),
      ConvBlock(width, width, stride: (2, 2)),
      ConvBlock(width, width),
      ConvBlock(width, width * 2, stride: (2, 2)),
      ConvBlock(width * 2, width * 2),
      ConvBlock(width * 2, width * 4, stride: (2, 2)),
      ConvBlock(width * 4, width * 4),
      ConvBlock(
        width * 4, options.fcDim, kernelSize: kernel.size, stride: kernel.stride, padding: (0, 0)))
    fc1 = Linear(options.fcDim, options.fcDim)
    fc2 = Linear(options.fcDim, data.mapping.count)
    window = LineWindow(width: kernel.size.1 * 8, stride: kernel.stride.1 * 8)
    maxSteps = options.limitOutputLength ? data.outputDims[0] : nil
    initialize()
  }

  /// Draws all weights and biases again, in the order of the layers.
  ///
  /// The course calls `normal_(bias, -bound, bound)`, which looks like the two ends of a uniform
  /// distribution but is a mean and a standard deviation; we draw the same numbers.
  private func initialize() {
    let all = parameters
    for (weight, bias) in zip(all, all.dropFirst()) where bias.shape.count == 1 {
      kaimingNormal(weight)
      let fanOut = weight.shape[0] * weight.shape.dropFirst(2).reduce(1, *)
      let bound = 1 / Double(fanOut).squareRoot()
      normal(bias, mean: -bound, std: bound)
    }
  }

  /// The kernel and stride of the convolution that looks through windows: as high as what is left of the
  /// line.
  private static func lastKernel(
    _ options: Options, _ data: DataConfig
  ) -> (size: (Int, Int), stride: (Int, Int)) {
    let height = data.inputDims[1] / 8
    return ((height, options.windowWidth / 8), (height, options.windowStride / 8))
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let windows = try convs(x)
    guard windows.shape[2] == 1 else {
      throw ShapeError(
        "LineCNN", expected: "lines whose height the convolutions reduce to 1, such as 28 pixels",
        got: "\(x.shape)")
    }
    let (count, features, steps) = (windows.shape[0], windows.shape[1], windows.shape[3])
    var y = try permute(reshape(windows, to: [count, features, steps]), order: [0, 2, 1])
    y = try reshape(y, to: [count * steps, features])
    y = try relu(fc1(y))
    y = dropout(y)
    y = try fc2(y)
    y = try permute(reshape(y, to: [count, steps, y.shape[1]]), order: [0, 2, 1])
    guard let maxSteps, maxSteps < steps else { return y }
    return try slice(y, axis: 2, 0..<maxSteps)
  }

  public static func check(_ options: Options, for data: DataConfig) throws(OptionError) {
    try checkWindow(options.windowWidth, in: data)
    guard data.inputDims[1] >= 8 else {
      throw OptionError(
        option: "model_class",
        problem: "LineCNN expects lines of at least 8 rows, got \(data.inputDims[1])")
    }
  }
}

/// Checks that a window is not wider than the lines.
func checkWindow(_ width: Int, in data: DataConfig) throws(OptionError) {
  guard width <= data.inputDims[2] else {
    throw OptionError(
      option: "window_width",
      problem: "expected at most \(data.inputDims[2]), the width of the images, got \(width)")
  }
}
