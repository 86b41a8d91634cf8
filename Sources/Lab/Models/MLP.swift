import LabNetworks
import LabTensors

/// The course's MLP: three fully connected layers.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, the images |
/// | result | N × classes, the logits |
public struct MLP: Model {
  /// The options of an ``MLP``.
  public struct Options: ModelOptions {
    /// Features of the first hidden layer.
    public var fc1 = 1024
    /// Features of the second hidden layer.
    public var fc2 = 128

    public init() {}

    public static let fields: [OptionField<Self>] = [
      .size("fc1", \.fc1, 1...65_536, help: "Features of the first hidden layer."),
      .size("fc2", \.fc2, 1...65_536, help: "Features of the second hidden layer."),
    ]
  }

  public var dropout = Dropout(0.5)
  public let fc1, fc2, fc3: Linear

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    fc1 = Linear(data.inputDims.reduce(1, *), options.fc1)
    fc2 = Linear(options.fc1, options.fc2)
    fc3 = Linear(options.fc2, data.mapping.count)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try flatten(x)
    x = try dropout(relu(fc1(x)))
    x = try dropout(relu(fc2(x)))
    return try fc3(x)
  }
}
