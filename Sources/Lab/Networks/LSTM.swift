import LabRandom
import LabTensors

/// One or more layers of long short-term memory over sequences, initialized as PyTorch's `LSTM`; see
/// ``lstm(_:weightIH:weightHH:biasIH:biasHH:reverse:)``.
///
/// | | shape |
/// | --- | --- |
/// | x | T steps × N items × inputs |
/// | result | T × N × units, or 2 · units with both directions: those forward, then those backward |
///
/// ```swift
/// let lstm = LSTM(inputSize: 83, hiddenSize: 512, bidirectional: true)
/// try lstm(Tensor(repeating: 0, shape: [55, 128, 83])).shape  // [55, 128, 1024]
/// ```
///
/// A layer's input is the result of the one before it. All initial states are zero. The weights are
/// named as in PyTorch: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0`, then those of
/// the backward direction such as `weight_ih_l0_reverse`, then those of the next layer.
public struct LSTM: Layer {
  /// The number of inputs of each step, and of units in each direction.
  public let inputSize, hiddenSize: Int
  /// The probability that an output of a layer before the last one is dropped during training.
  public let dropout: Double
  /// The source of the initial weights and of dropout.
  public let generator: Generator
  /// The weights of each layer in each direction.
  private let layers: [[Weights]]

  private struct Weights {
    let weightIH, weightHH, biasIH, biasHH: Parameter
    let isReversed: Bool

    func on(_ tape: Tape?) -> LSTMDirection {
      LSTMDirection(
        weightIH: weightIH.on(tape), weightHH: weightHH.on(tape), biasIH: biasIH.on(tape),
        biasHH: biasHH.on(tape), isReversed: isReversed)
    }
  }

  /// - Parameters:
  ///   - inputSize: The number of inputs of each step.
  ///   - hiddenSize: The number of units in each direction.
  ///   - numLayers: The number of layers.
  ///   - dropout: The probability that an output of a layer is dropped during training, in 0…1; the
  ///     last layer's are kept.
  ///   - bidirectional: Whether there are units that go from the last step to the first, too.
  ///   - generator: The source of the initial weights and of dropout.
  public init(
    inputSize: Int, hiddenSize: Int, numLayers: Int = 1, dropout: Double = 0,
    bidirectional: Bool = false, generator: Generator = .shared
  ) {
    precondition(
      inputSize >= 1 && hiddenSize >= 1 && numLayers >= 1,
      "LSTM expects at least one input, unit and layer, got \(inputSize), \(hiddenSize) and "
        + "\(numLayers)")
    precondition(
      (0...1).contains(dropout), "LSTM expects a probability of dropout in 0…1, got \(dropout)")
    (self.inputSize, self.hiddenSize, self.dropout) = (inputSize, hiddenSize, dropout)
    self.generator = generator
    let directions = bidirectional ? [false, true] : [false]
    layers = (0..<numLayers).map { layer in
      let inputs = layer == 0 ? inputSize : hiddenSize * directions.count
      func weight(_ shape: [Int]) -> Parameter {
        recurrentWeight(shape: shape, units: hiddenSize, generator: generator)
      }
      return directions.map { isReversed in
        Weights(
          weightIH: weight([4 * hiddenSize, inputs]),
          weightHH: weight([4 * hiddenSize, hiddenSize]), biasIH: weight([4 * hiddenSize]),
          biasHH: weight([4 * hiddenSize]), isReversed: isReversed)
      }
    }
  }

  /// The number of layers.
  public var numLayers: Int { layers.count }
  /// Whether there are two directions.
  public var bidirectional: Bool { layers[0].count == 2 }

  public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var y = x
    for (index, directions) in layers.enumerated() {
      if index > 0 {
        y = LabTensors.dropout(y, probability: dropout, generator: generator)
      }
      y = try lstm(y, directions.map { $0.on(x.tape) })
    }
    return y
  }
}

/// Parameters are found and named by reflection.
extension LSTM: CustomReflectable {
  public var customMirror: Mirror {
    var children: [(label: String?, value: Any)] = []
    for (index, directions) in layers.enumerated() {
      for weights in directions {
        let suffix = "l\(index)" + (weights.isReversed ? "_reverse" : "")
        children += [
          ("weight_ih_\(suffix)", weights.weightIH), ("weight_hh_\(suffix)", weights.weightHH),
          ("bias_ih_\(suffix)", weights.biasIH), ("bias_hh_\(suffix)", weights.biasHH),
        ]
      }
    }
    children.append(("generator", generator))
    return Mirror(self, children: children, displayStyle: .struct)
  }
}
