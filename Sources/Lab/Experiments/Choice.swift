import ArgumentParser
import LabModels

/// The help of an option that takes one of several names.
///
/// - Parameters:
///   - subject: What is chosen.
///   - value: The default.
package func choices<Value: CaseIterable & RawRepresentable<String>>(
  _ subject: String, default value: Value
) -> ArgumentHelp {
  let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
  return ArgumentHelp("\(subject): \(names). (default: \(value.rawValue))")
}

/// The value with a name.
///
/// - Parameter text: The text on the command line.
/// - Throws: A `ValidationError` that lists the names and suggests the nearest one; the argument
///   parser adds the option's name.
package func choice<Value: CaseIterable & RawRepresentable<String>>(
  _ text: String
) throws -> Value {
  if let value = Value(rawValue: text) { return value }
  let names = Value.allCases.map(\.rawValue)
  let hint = nearestName(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
  throw ValidationError(
    "expected \(names.joined(separator: ", ")), got \(text)\(hint)")
}
