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

/// The number that a text stands for.
///
/// - Parameter text: The text on the command line.
/// - Throws: A `ValidationError` that says what is expected; the argument parser adds the option's
///   name.
package func number<Number: FixedWidthInteger>(_ text: String) throws -> Number {
  if let value = Number(text) { return value }
  // Digits alone are a whole number, so that it must be out of range.
  let isTooLarge = !text.isEmpty && text.drop { $0 == "-" || $0 == "+" }.allSatisfy(\.isWholeNumber)
  let range =
    isTooLarge && !(Number.min == 0 && text.hasPrefix("-"))
    ? " from \(Number.min) to \(Number.max)" : Number.isSigned ? "" : " of at least 0"
  throw ValidationError("expected a whole number\(range), got \(text)")
}

/// The number that a text stands for.
///
/// - Parameter text: The text on the command line.
/// - Throws: A `ValidationError` that says what is expected; the argument parser adds the option's
///   name.
package func number(_ text: String) throws -> Double {
  guard let value = Double(text) else {
    throw ValidationError("expected a number, got \(text)")
  }
  return value
}
