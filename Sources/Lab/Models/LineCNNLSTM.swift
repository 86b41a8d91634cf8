import LabNetworks
import LabTensors

/// The course's best network for lines: a ``LineCNN`` whose logits a bidirectional LSTM reads as a
/// sequence, so that each step knows its neighbours.
///
/// | | shape |
/// | --- | --- |
/// | x | N × C × H × W, the lines |
/// | result | N × classes × S steps, the logits |
///
/// The results of both directions are added up.
///
/// Source: FSDL 2021, lab 3.
public struct LineCNNLSTM: LineModel {
  /// The options of a ``LineCNNLSTM``.
  public struct Options: ModelOptions {
    /// The options of the network in front.
    public var lineCNN = LineCNN.Options()
    /// Features of the LSTM in each direction.
    public var lstmDim = 512
    /// The number of layers of the LSTM.
    public var lstmLayers = 1
    /// The dropout between the layers of the LSTM.
    public var lstmDropout = 0.2

    public init() {}

    public static let fields: [OptionField<Self>] =
      LineCNN.Options.fields.map { $0.nested(in: \.lineCNN) } + [
        .size("lstm_dim", \.lstmDim, 1...4096, help: "Features of the LSTM in each direction."),
        .int("lstm_layers", \.lstmLayers, 1...16, help: "The number of layers of the LSTM."),
        .double(
          "lstm_dropout", \.lstmDropout, 0...1,
          help: "The dropout between the layers of the LSTM; with a single layer there is none."),
      ]
  }

  public var lineCNN: LineCNN
  public var lstm: LSTM
  public let fc: Linear

  public var window: LineWindow { lineCNN.window }

  public init(_ data: DataConfig, _ options: Options = .defaults) {
    let classes = data.mapping.count
    lineCNN = LineCNN(data, options.lineCNN)
    lstm = LSTM(
      inputSize: classes, hiddenSize: options.lstmDim, numLayers: options.lstmLayers,
      dropout: options.lstmLayers > 1 ? options.lstmDropout : 0, bidirectional: true)
    fc = Linear(options.lstmDim, classes)
  }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let sequence = try permute(lineCNN(x), order: [2, 0, 1])
    let (steps, count) = (sequence.shape[0], sequence.shape[1])
    let both = try lstm(sequence)
    let features = fc.weight.shape[1]
    let forward = try slice(both, axis: 2, 0..<features)
    let backward = try slice(both, axis: 2, features..<2 * features)
    let y = try fc(reshape(forward + backward, to: [steps * count, features]))
    return try permute(reshape(y, to: [steps, count, y.shape[1]]), order: [1, 2, 0])
  }

  public static func check(_ options: Options, for data: DataConfig) throws(OptionError) {
    try LineCNN.check(options.lineCNN, for: data)
  }
}

extension LineCNNLSTM: CustomReflectable {
  /// The parts by the course's names, which parameters and checkpoints have.
  public var customMirror: Mirror {
    Mirror(
      self, children: ["line_cnn": lineCNN, "lstm": lstm, "fc": fc], displayStyle: .struct)
  }
}
