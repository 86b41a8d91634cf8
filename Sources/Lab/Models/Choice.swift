import ArgumentParser

/// The help of an option that takes one of several names.
///
/// - Parameters:
///   - what: What the option chooses.
///   - value: The name that is taken when none is given.
package func choices<Value: CaseIterable & RawRepresentable<String>>(
  _ what: String, default value: Value
) -> ArgumentHelp {
  let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
  return ArgumentHelp("\(what): \(names). (default: \(value.rawValue))")
}

/// The value of a name.
///
/// - Parameter text: What was typed.
/// - Throws: A `ValidationError` that tells the names, and the nearest one; the argument parser puts
///   the option's name before it.
package func choice<Value: CaseIterable & RawRepresentable<String>>(
  _ text: String
) throws -> Value {
  if let value = Value(rawValue: text) { return value }
  let names = Value.allCases.map(\.rawValue)
  let hint = nearestName(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
  throw ValidationError(
    "expected \(names.joined(separator: ", ")), got \(text)\(hint)")
}

/// The value of `true` or `false`.
///
/// - Parameter text: What was typed.
/// - Throws: A `ValidationError`; the argument parser puts the option's name before it.
package func trueOrFalse(_ text: String) throws -> Bool {
  guard let value = Bool(text) else {
    throw ValidationError("expected true or false, got \(text)")
  }
  return value
}
