import LabNetworks
import LabTensors

/// The course's first network for lines: the lab's ``CNN`` on each window of a line.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, the lines |
/// | result | N × classes × S steps, the logits; S = ⌊(W − window width) / window stride⌋ + 1 |
///
/// It reads a line whose characters stand where the windows are: without overlap, and a window for each
/// label.
///
/// Source: FSDL 2021, lab 3.
public struct LineCNNSimple: LineModel {
  /// The options of a ``LineCNNSimple``.
  public struct Options: ModelOptions {
    /// The options of the network for a window.
    public var cnn = CNN.Options()
    /// The width of a window in pixels.
    public var windowWidth = 28
    /// Pixels from one window to the next.
    public var windowStride = 28
    /// Whether there are no more steps than a line has labels.
    public var limitOutputLength = false

    public init() {}

    public static let fields: [OptionField<Self>] =
      CNN.Options.fields.map { $0.nested(in: \.cnn) } + [
        .int(
          "window_width", \.windowWidth, 8...4096,
          help: "The width of the windows of a line in pixels."),
        .int(
          "window_stride", \.windowStride, 1...4096,
          help: "Pixels from one window to the next."),
        .flag(
          "limit_output_length", \.limitOutputLength,
          help: "Leave out the outputs after as many as a line has labels."),
      ]
  }

  public var cnn: CNN
  public let window: LineWindow
  /// The number of steps, at most; nil for all.
  let maxSteps: Int?

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    let dims = [data.inputDims[0], data.inputDims[1], options.windowWidth]
    cnn = CNN(
      DataConfig(inputDims: dims, outputDims: [1], mapping: data.mapping), options.cnn)
    window = LineWindow(width: options.windowWidth, stride: options.windowStride)
    maxSteps = options.limitOutputLength ? data.outputDims[0] : nil
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    guard x.rank == 4, x.shape[3] >= window.width else {
      throw ShapeError(
        "LineCNNSimple",
        expected: "x of shape [lines, channels, height, at least \(window.width)]",
        got: "\(x.shape)")
    }
    let steps = min((x.shape[3] - window.width) / window.stride + 1, maxSteps ?? .max)
    // Windows of all lines as one batch of images: window after window of each line.
    var windows: [Tensor] = []
    for step in 0..<steps {
      windows.append(try slice(x, axis: 3, window.columns(of: step)))
    }
    let images = try stack(windows, axis: 1)
    let (count, classes) = (x.shape[0], cnn.fc2.weight.shape[0])
    let logits = try cnn(
      reshape(images, to: [count * steps] + Array(images.shape.dropFirst(2))))
    return try permute(reshape(logits, to: [count, steps, classes]), order: [0, 2, 1])
  }

  public static func check(_ options: Options, for data: DataConfig) throws(OptionError) {
    try checkWindow(options.windowWidth, in: data)
  }
}
