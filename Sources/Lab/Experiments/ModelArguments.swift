import ArgumentParser
import LabModels
import LabNetworks
import LabTraining

/// The options of all models of ``ModelRegistry/current`` on the command line, one help group for
/// each model.
///
/// Options of the same name in several models are one option, in the group of the first of them.
///
/// The argument parser reads a type's options from its mirror, and their values through `Decodable`.
/// Both are written here from ``ModelOptions/fields`` instead of being synthesized.
package struct ModelArguments: ParsableArguments, CustomReflectable {
  /// The values on the command line, by the options' names.
  package private(set) var given: [String: OptionValue] = [:]

  package init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    func values<M: Model>(of model: M.Type) throws -> [String: OptionValue] {
      try container.decode(OptionGroup<Group<M>>.self, forKey: Name(modelName(model)))
        .wrappedValue.given
    }
    for model in ModelRegistry.current.models {
      try given.merge(values(of: model)) { $1 }
    }
  }

  package var customMirror: Mirror {
    func group<M: Model>(of model: M.Type) -> Any {
      OptionGroup<Group<M>>(title: "Model \(modelName(model))")
    }
    return Mirror(
      self,
      children: ModelRegistry.current.models.map { (label: modelName($0), value: group(of: $0)) })
  }

  package func validate() throws {
    if let conflict = CommandLineOption.conflict { throw ValidationError(conflict) }
  }

  /// The configuration that the command line asks for.
  ///
  /// - Parameters:
  ///   - modelClass: The name of the model.
  ///   - options: Values of options that are not on the command line.
  /// - Throws: ``TrainingError`` if a value is not allowed, or if an option belongs to another model.
  package func configuration(
    _ modelClass: String, over options: [String: OptionValue] = [:]
  ) throws -> ModelConfiguration {
    for option in CommandLineOption.all {
      guard let value = given[option.name], !option.models.contains(modelClass) else { continue }
      let name = option.flags != nil ? "\(value)" : option.name
      throw TrainingError(
        "--\(name) belongs to \(option.models.joined(separator: ", ")), but --model_class is "
          + "\(modelClass).")
    }
    do {
      return try ModelConfiguration(modelClass, options.merging(given) { $1 })
    } catch {
      throw TrainingError("\(error)")
    }
  }

  /// The options of one model that no model before it has.
  private struct Group<M: Model>: ParsableArguments, CustomReflectable {
    var given: [String: OptionValue] = [:]

    init() {}

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      for option in options {
        let text =
          if let type = option.flags {
            try flag(type, option.name, in: container)
          } else if option.isSwitch {
            try container.decode(Flag<Bool>.self, forKey: Name(option.name)).wrappedValue
              ? "true" : nil
          } else {
            try container.decode(Option<String?>.self, forKey: Name(option.name)).wrappedValue
          }
        given[option.name] = text.map { .text($0) }
      }
    }

    var customMirror: Mirror {
      Mirror(
        self,
        children: options.map { option in
          let value: Any =
            if let type = option.flags {
              flags(type, help: option.help)
            } else if option.isSwitch {
              Flag<Bool>(
                wrappedValue: false, name: .customLong(option.name), help: ArgumentHelp(option.help)
              )
            } else {
              Option<String?>(name: .customLong(option.name), help: ArgumentHelp(option.help))
            }
          return (label: option.name, value: value)
        })
    }

    private var options: [CommandLineOption] {
      CommandLineOption.all.filter { $0.models.first == modelName(M.self) }
    }
  }
}

private func flags<Choice: OptionChoice>(_ type: Choice.Type, help: String) -> Any {
  Flag<ChoiceFlag<Choice>?>(exclusivity: .chooseLast, help: ArgumentHelp(help))
}

private func flag<Choice: OptionChoice>(
  _ type: Choice.Type, _ name: String, in container: KeyedDecodingContainer<Name>
) throws -> String? {
  try container.decode(Flag<ChoiceFlag<Choice>?>.self, forKey: Name(name))
    .wrappedValue?.choice.rawValue
}

/// An enumeration of a model's options as flags: `--stride`, `--pool`.
package struct ChoiceFlag<Choice: OptionChoice>: EnumerableFlag {
  package let choice: Choice

  package static var allCases: [ChoiceFlag] { Choice.allCases.map { ChoiceFlag(choice: $0) } }

  package static func name(for value: ChoiceFlag) -> NameSpecification {
    .customLong(value.choice.rawValue)
  }
}

/// An option as the command line has it: of one model, or of several that have it by the same name.
private struct CommandLineOption {
  /// The names of the models.
  let models: [String]
  /// The option in each of these models.
  let descriptions: [OptionDescription]

  var name: String { descriptions[0].name }

  /// Whether it is a flag that is given or not.
  var isSwitch: Bool {
    if case .flag = descriptions[0].kind { true } else { false }
  }

  /// The choices, if each of them is a flag.
  var flags: (any OptionChoice.Type)? {
    if case .flags(let type) = descriptions[0].kind { type } else { nil }
  }

  /// The help text, with the default; models are named where they differ.
  var help: String {
    /// The values, each once, with the names of the models that have it if there are several values.
    func text(_ values: [String], _ separator: String) -> [String] {
      var different: [String] = []
      for value in values where !different.contains(value) { different.append(value) }
      guard different.count > 1 else { return different }
      return different.map { value in
        let names = zip(models, values).filter { $0.1 == value }.map(\.0)
        return names.joined(separator: ", ") + separator + value
      }
    }
    let helps = descriptions.map(\.help)
    let defaults = descriptions.map { "\(flags != nil ? "--" : "")\($0.defaultValue)" }
    let isShared = models.count > 1 && Set(helps).count == 1
    let shared = isShared ? " Shared by \(models.joined(separator: ", "))." : ""
    let help = text(helps, ": ").joined(separator: " ") + shared
    return isSwitch
      ? help : "\(help) (default: \(text(defaults, " ").joined(separator: ", ")))"
  }

  /// The options of all models, each once, in the order of `--help`.
  static var all: [CommandLineOption] {
    func descriptions<M: Model>(of model: M.Type) -> [OptionDescription] {
      OptionDescription.all(of: model)
    }
    var (names, options) = ([String](), [String: CommandLineOption]())
    for model in ModelRegistry.current.models {
      for description in descriptions(of: model) {
        let known = options[description.name]
        if known == nil { names.append(description.name) }
        options[description.name] = CommandLineOption(
          models: (known?.models ?? []) + [modelName(model)],
          descriptions: (known?.descriptions ?? []) + [description])
      }
    }
    return names.compactMap { options[$0] }
  }

  /// A message if two models use the same spelling for different options; nil if none do.
  static var conflict: String? {
    var owners: [String: (model: String, option: OptionDescription)] = [:]
    for option in all {
      for (model, description) in zip(option.models, option.descriptions) {
        for spelling in description.spellings {
          let owner = owners.updateValue((model, description), forKey: spelling)
          guard let owner else { continue }
          guard owner.option.name == description.name,
            owner.option.spellings == description.spellings
          else {
            return "--\(spelling): \(owner.model) and \(model) use it for different options; "
              + "rename one of them"
          }
        }
      }
    }
    return nil
  }
}

/// The name of an option as a coding key.
private struct Name: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}
