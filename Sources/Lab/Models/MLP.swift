import ArgumentParser
import LabNetworks
import LabTensors

/// Three fully connected layers, as in the course.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, as the data has them |
/// | result | N × classes: logits |
public struct MLP: Model {
  /// What the command line may change.
  public struct Options: ModelOptions {
    @Option(name: .customLong("fc1"), help: "Features of the first hidden layer.")
    public var fc1 = 1024

    @Option(name: .customLong("fc2"), help: "Features of the second hidden layer.")
    public var fc2 = 128

    public init() {}

    public func validate() throws {
      try checkSize("fc1", fc1, atMost: 65_536)
      try checkSize("fc2", fc2, atMost: 65_536)
    }
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
