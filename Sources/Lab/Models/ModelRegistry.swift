import Foundation
import LabNetworks
import LabTensors

/// The models that can be named on the command line and in files.
public struct ModelRegistry: Sendable {
  /// A model that can be used from any thread.
  public typealias Entry = any (Model & SendableMetatype).Type

  /// The models of this package. A new model needs one line here.
  public static let standard = ModelRegistry([
    CNN.self,
    MLP.self,
    ResNet.self,
    LineCNNSimple.self,
    LineCNN.self,
    LineCNNLSTM.self,
  ])

  /// The models in use.
  ///
  /// A program with models of its own extends the standard ones:
  ///
  /// ```swift
  /// let registry = ModelRegistry(ModelRegistry.standard.models + [MyModel.self])
  /// try ModelRegistry.$current.withValue(registry) { … }
  /// ```
  @TaskLocal public static var current = standard

  /// The models, in the order of `--help`.
  public let models: [Entry]

  /// - Parameter models: The models; their names must differ.
  public init(_ models: [Entry]) {
    self.models = models
  }

  /// The names of the models.
  public var names: [String] { models.map(modelName) }

  /// The names of the models that read lines, or of those that do not.
  package func names(readingLines: Bool) -> [String] {
    models.filter { ($0 is any LineModel.Type) == readingLines }.map(modelName)
  }

  /// The model of a name.
  ///
  /// - Throws: ``OptionError`` if there is none.
  public func model(named name: String) throws(OptionError) -> Entry {
    if let model = models.first(where: { modelName($0) == name }) { return model }
    let hint = nearestName(to: name, in: names).map { "; did you mean \($0)?" } ?? ""
    throw OptionError(
      option: "model_class",
      problem: "expected \(names.joined(separator: ", ")), got \(name)\(hint)")
  }
}

/// The name of a model on the command line and in files: that of its type.
package func modelName(_ model: any Model.Type) -> String { "\(model)" }

/// A model's class with its options: all that it takes to build the network for a data set.
///
/// ```swift
/// let configuration = try ModelConfiguration("CNN", ["conv_dim": 32])
/// configuration.options                        // ["conv_dim": 32, "fc_dim": 128]
/// let model = configuration.model(for: data.config)
/// ```
///
/// `run.json` and the headers of checkpoints have ``modelClass`` and ``options``.
public struct ModelConfiguration: Sendable {
  /// The name of the model.
  public let modelClass: String
  /// All options by name.
  public let options: [String: OptionValue]
  /// All options, in the order of `--help`.
  package let descriptions: [OptionDescription]
  /// Whether the model reads lines; see ``LineModel``.
  package let readsLines: Bool
  private let build: @Sendable (DataConfig) -> any Model
  private let checkOptions: @Sendable (DataConfig) throws(OptionError) -> Void

  /// Creates a configuration with options that are known to be valid.
  public init<M: Model & SendableMetatype>(_ model: M.Type, _ options: M.Options = .defaults) {
    modelClass = modelName(model)
    self.options = options.values
    descriptions = OptionDescription.all(of: model)
    readsLines = M.self is any LineModel.Type
    build = { M($0, options) }
    checkOptions = { data throws(OptionError) in try M.check(options, for: data) }
  }

  /// Creates a configuration from a name and values, as the command line and files have them.
  ///
  /// - Parameters:
  ///   - modelClass: The name of a model in `registry`.
  ///   - options: Values by the options' names; other options have their defaults.
  ///   - registry: The models to choose from.
  /// - Throws: ``OptionError`` if there is no such model or option, or if a value is not allowed.
  public init(
    _ modelClass: String, _ options: [String: OptionValue] = [:],
    registry: ModelRegistry = .current
  ) throws(OptionError) {
    func configuration<M: Model & SendableMetatype>(
      _ model: M.Type
    ) throws(OptionError) -> ModelConfiguration {
      ModelConfiguration(model, try M.Options(options))
    }
    self = try configuration(registry.model(named: modelClass))
  }

  /// A network with these options and initial weights, drawn from ``Generator/shared``.
  ///
  /// - Parameter data: The shape of the images, and the classes.
  public func model(for data: DataConfig) -> any Model { build(data) }

  /// Checks that the network can be built for a data set.
  ///
  /// - Throws: ``OptionError`` that names the option which does not fit the data.
  public func check(for data: DataConfig) throws(OptionError) { try checkOptions(data) }

  /// The options as a JSON object, sorted by name: `{"conv_dim":64,"fc_dim":128}`.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(options), as: UTF8.self)
  }

  /// The first option whose value differs in another configuration of the same model, as typed in
  /// each of them.
  ///
  /// ```swift
  /// pooling.difference(from: strided)  // ("--pool", "--stride")
  /// ```
  package func difference(from other: ModelConfiguration) -> (here: String, there: String)? {
    for option in descriptions.sorted(by: { $0.name < $1.name }) {
      if let here = options[option.name], let there = other.options[option.name], here != there {
        return (option.argument(here), option.argument(there))
      }
    }
    return nil
  }
}

extension ModelConfiguration: Equatable {
  public static func == (a: ModelConfiguration, b: ModelConfiguration) -> Bool {
    a.modelClass == b.modelClass && a.options == b.options
  }
}

/// An option of a model, without the type of the model's options.
package struct OptionDescription: Sendable {
  package let name: String
  package let help: String
  package let kind: OptionKind
  package let defaultValue: OptionValue

  /// The options of a model.
  package static func all<M: Model>(of model: M.Type) -> [OptionDescription] {
    M.Options.fields.map { field in
      OptionDescription(
        name: field.name, help: field.help, kind: field.kind,
        defaultValue: field.get(.defaults))
    }
  }

  /// The names that are typed on a command line, without hyphens.
  package var spellings: [String] {
    if case .flags = kind { kind.names } else { [name] }
  }

  /// A value of this option as it is typed on a command line: `--fc1=64`, or `--pool`.
  package func argument(_ value: OptionValue) -> String {
    switch kind {
    case .flags: "--\(value)"
    case .flag: value == .bool(true) ? "--\(name)" : "no --\(name)"
    case .size, .int, .double, .bool, .choice: "--\(name)=\(value)"
    }
  }
}
