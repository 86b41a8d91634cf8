import LabNetworks
import LabTensors

/// A whole network: a layer that is built from the shape of the data and from options.
///
/// A model is one file and one line in ``ModelRegistry/standard``: `lab train`, its `--help`,
/// `--resume`, checkpoints and `lab predict` then know it.
public protocol Model: Layer {
  /// What can be chosen about this model, such as sizes.
  associatedtype Options: ModelOptions

  /// Creates a network with initial weights, drawn from ``Generator/shared``.
  ///
  /// - Parameters:
  ///   - data: The shape of the images, and the classes.
  ///   - options: The model's options.
  init(_ data: DataConfig, _ options: Options)

  /// Checks that a network with these options can be built for the data; by default any can.
  ///
  /// - Throws: ``OptionError`` that names the option.
  static func check(_ options: Options, for data: DataConfig) throws(OptionError)
}

extension Model {
  public static func check(_ options: Options, for data: DataConfig) throws(OptionError) {}
}

/// A network that reads whole lines: its result has the shape N × classes × steps, the logits of each
/// step, instead of N × classes.
public protocol LineModel: Model {
  /// The part of a line that a step looks at.
  var window: LineWindow { get }
}

/// The windows of a line that a ``LineModel`` has a step for.
public struct LineWindow: Equatable, Sendable {
  /// The width of a window in pixels.
  public let width: Int
  /// Pixels from one window to the next.
  public let stride: Int

  public init(width: Int, stride: Int) {
    (self.width, self.stride) = (width, stride)
  }

  /// The columns of the line that a step looks at.
  ///
  /// ```swift
  /// LineWindow(width: 24, stride: 16).columns(of: 2)  // 32..<56
  /// ```
  public func columns(of step: Int) -> Range<Int> {
    step * stride..<step * stride + width
  }
}

/// The options of a model: one struct with a default for each property, and one list of fields.
///
/// ```swift
/// struct Options: ModelOptions {
///   var convDim = 64
///   init() {}
///   static let fields: [OptionField<Self>] = [
///     .size("conv_dim", \.convDim, 1...4096, help: "Channels of both convolutions.")
///   ]
/// }
/// ```
///
/// The list is the only description of the options: `--help`, parsing, messages, and the JSON in
/// `run.json` and in the headers of checkpoints come from it. In a program, change the defaults:
///
/// ```swift
/// var options = CNN.Options.defaults
/// options.convDim = 32
/// let model = CNN(data.config, options)
/// ```
public protocol ModelOptions: Codable, Equatable, Sendable {
  /// Creates the default options.
  init()

  /// All options, in the order of `--help`.
  static var fields: [OptionField<Self>] { get }
}

extension ModelOptions {
  /// The options used if none are given.
  public static var defaults: Self { Self() }

  /// Creates the default options, with some values replaced.
  ///
  /// ```swift
  /// try ResNet.Options(["blocks": 2, "halving": "pool"])
  /// try CNN.Options(["conv_dim": 0])  // --conv_dim: expected 1 to 4096, got 0
  /// ```
  ///
  /// - Parameter values: Values by the options' names. Text that reads as the option's type is
  ///   accepted, as from a command line.
  /// - Throws: ``OptionError`` if there is no such option, or if a value is not allowed.
  public init(_ values: [String: OptionValue]) throws(OptionError) {
    self.init()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let field = Self.fields.first(where: { $0.name == name }) else {
        let names = Self.fields.map(\.name).joined(separator: ", ")
        throw OptionError(option: name, problem: "expected one of \(names), got \(name)")
      }
      try field.set(&self, value)
    }
  }

  /// All values, by the options' names.
  ///
  /// ```swift
  /// CNN.Options.defaults.values  // ["conv_dim": 64, "fc_dim": 128]
  /// ```
  public var values: [String: OptionValue] {
    Dictionary(Self.fields.map { ($0.name, $0.get(self)) }) { first, _ in first }
  }

  /// Decodes a JSON object such as `{"conv_dim": 64}`; options that it lacks have their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init([String: OptionValue](from: decoder))
  }

  /// Encodes a JSON object with all options.
  public func encode(to encoder: any Encoder) throws {
    try values.encode(to: encoder)
  }
}
