import ArgumentParser
import Lab

/// The models that can be trained from the command line.
enum ModelClass: String, CaseIterable {
  case CNN, MLP
}

/// Which model to train, from where.
struct ExperimentOptions: ParsableArguments {
  @Option(
    name: .customLong("model_class"), help: choices("The model", ModelClass.self),
    transform: { try choice("model_class", $0) })
  var modelClass = ModelClass.CNN

  @Option(
    name: .customLong("load_checkpoint"),
    help: ArgumentHelp("Start from these weights, in safetensors format.", valueName: "file"))
  var loadCheckpoint: String?

  @Option(help: "Initial weights, shuffling and dropout are drawn from this seed.")
  var seed: UInt64 = 42
}

/// The help of an option that takes one of several names.
///
/// - Parameters:
///   - what: What the option chooses.
///   - type: The names.
func choices<Value: CaseIterable & RawRepresentable<String>>(
  _ what: String, _ type: Value.Type
) -> ArgumentHelp {
  ArgumentHelp("\(what): \(type.allCases.map(\.rawValue).joined(separator: ", ")).")
}

/// The value of a name.
///
/// - Parameters:
///   - option: The option, for the message.
///   - text: What was typed.
/// - Throws: A `ValidationError` that tells the names, and the nearest one.
func choice<Value: CaseIterable & RawRepresentable<String>>(
  _ option: String, _ text: String
) throws -> Value {
  if let value = Value(rawValue: text) { return value }
  let names = Value.allCases.map(\.rawValue)
  let hint = nearestName(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
  throw ValidationError(
    "--\(option): expected \(names.joined(separator: ", ")), got \(text)\(hint)")
}
