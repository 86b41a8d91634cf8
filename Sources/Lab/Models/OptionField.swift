import LabNetworks

/// One option of a model: its name, the property it sets, the allowed values, and its help text.
public struct OptionField<Options>: Sendable {
  /// The name on the command line and in JSON, in the course's spelling: `conv_dim`.
  public let name: String
  /// The help text: one sentence.
  public let help: String
  /// The allowed values.
  package let kind: OptionKind
  let get: @Sendable (Options) -> OptionValue
  private let assign: @Sendable (inout Options, OptionValue) -> Bool

  /// Sets the property.
  ///
  /// - Throws: ``OptionError`` if the value is not allowed.
  func set(_ options: inout Options, _ value: OptionValue) throws(OptionError) {
    guard assign(&options, value) else {
      let hint =
        nearestName(to: "\(value)", in: kind.names).map { "; did you mean \($0)?" } ?? ""
      throw OptionError(option: name, problem: "expected \(kind), got \(value)\(hint)")
    }
  }
}

extension OptionField {
  /// A number of channels or features: some weight of the model has this extent.
  ///
  /// ```swift
  /// .size("conv_dim", \.convDim, 1...4096, help: "Channels of both convolutions.")
  /// ```
  public static func size(
    _ name: String, _ path: WritableKeyPath<Options, Int> & Sendable, _ range: ClosedRange<Int>,
    help: String
  ) -> Self {
    integer(name, path, range, .size(range), help)
  }

  /// Any other integer, such as a number of layers.
  public static func int(
    _ name: String, _ path: WritableKeyPath<Options, Int> & Sendable, _ range: ClosedRange<Int>,
    help: String
  ) -> Self {
    integer(name, path, range, .int(range), help)
  }

  /// A floating-point number.
  public static func double(
    _ name: String, _ path: WritableKeyPath<Options, Double> & Sendable,
    _ range: ClosedRange<Double>, help: String
  ) -> Self {
    field(name, path, .double(range), help, encode: { .double($0) }) { value in
      let number =
        switch value {
        case .double(let number): number
        case .int(let number): Double(number)
        case .text(let text): Double(text)
        case .bool: Double?.none
        }
      return number.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// `true` or `false`: `--skip=false`.
  public static func bool(
    _ name: String, _ path: WritableKeyPath<Options, Bool> & Sendable, help: String
  ) -> Self {
    field(name, path, .bool, help, encode: { .bool($0) }) { value in
      switch value {
      case .bool(let isTrue): isTrue
      case .text(let text): Bool(text)
      case .int, .double: nil
      }
    }
  }

  /// `true` if it is given: `--limit_output_length`.
  public static func flag(
    _ name: String, _ path: WritableKeyPath<Options, Bool> & Sendable, help: String
  ) -> Self {
    let option = bool(name, path, help: help)
    return Self(name: name, help: help, kind: .flag, get: option.get, assign: option.assign)
  }

  /// One of several names: `--norm=none`.
  public static func choice<Choice: OptionChoice>(
    _ name: String, _ path: WritableKeyPath<Options, Choice> & Sendable, help: String
  ) -> Self {
    field(
      name, path, .choice(Choice.self), help, encode: { .text($0.rawValue) }, decode: decodeChoice)
  }

  /// One of several names, each of which is a flag: `--pool`.
  public static func flags<Choice: OptionChoice>(
    _ name: String, _ path: WritableKeyPath<Options, Choice> & Sendable, help: String
  ) -> Self {
    field(
      name, path, .flags(Choice.self), help, encode: { .text($0.rawValue) }, decode: decodeChoice)
  }

  /// The same option of a structure that these options are a part of.
  ///
  /// ```swift
  /// struct Options: ModelOptions {
  ///   var cnn = CNN.Options()
  ///   static let fields: [OptionField<Self>] = CNN.Options.fields.map { $0.nested(in: \.cnn) }
  /// }
  /// ```
  public func nested<Whole>(
    in path: WritableKeyPath<Whole, Options> & Sendable
  ) -> OptionField<Whole> {
    OptionField<Whole>(
      name: name, help: help, kind: kind, get: { [get] in get($0[keyPath: path]) },
      assign: { [assign] whole, value in assign(&whole[keyPath: path], value) })
  }

  private static func integer(
    _ name: String, _ path: WritableKeyPath<Options, Int> & Sendable, _ range: ClosedRange<Int>,
    _ kind: OptionKind, _ help: String
  ) -> Self {
    field(name, path, kind, help, encode: { .int($0) }) { value in
      let number =
        switch value {
        case .int(let number): number
        case .text(let text): Int(text)
        case .double, .bool: Int?.none
        }
      return number.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  private static func field<Value>(
    _ name: String, _ path: WritableKeyPath<Options, Value> & Sendable, _ kind: OptionKind,
    _ help: String, encode: @escaping @Sendable (Value) -> OptionValue,
    decode: @escaping @Sendable (OptionValue) -> Value?
  ) -> Self {
    Self(
      name: name, help: help, kind: kind, get: { encode($0[keyPath: path]) },
      assign: { options, value in
        guard let decoded = decode(value) else { return false }
        options[keyPath: path] = decoded
        return true
      })
  }
}

private func decodeChoice<Choice: OptionChoice>(_ value: OptionValue) -> Choice? {
  if case .text(let name) = value { Choice(rawValue: name) } else { nil }
}

/// The values of an option that takes one of several names.
///
/// ```swift
/// enum Norm: String, OptionChoice { case batch, none }
/// ```
public protocol OptionChoice: CaseIterable, RawRepresentable, Hashable, Sendable
where RawValue == String {}

/// The values that an option allows.
package enum OptionKind: Sendable {
  case size(ClosedRange<Int>)
  case int(ClosedRange<Int>)
  case double(ClosedRange<Double>)
  case bool
  /// A Boolean that is true if the option is given.
  case flag
  case choice(any OptionChoice.Type)
  case flags(any OptionChoice.Type)

  /// The allowed names, if the option takes one of several.
  package var names: [String] {
    switch self {
    case .choice(let type), .flags(let type): allNames(of: type)
    case .size, .int, .double, .bool, .flag: []
    }
  }
}

private func allNames<Choice: OptionChoice>(of type: Choice.Type) -> [String] {
  type.allCases.map(\.rawValue)
}

extension OptionKind: CustomStringConvertible {
  /// The allowed values, as messages list them.
  package var description: String {
    switch self {
    case .size(let range), .int(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .double(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .bool, .flag: "true or false"
    case .choice, .flags: names.joined(separator: ", ")
    }
  }
}

/// An option's value that is not allowed, or an option that does not exist.
public struct OptionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The option's name.
  public let option: String
  /// What was expected, and what was found.
  public let problem: String

  public init(option: String, problem: String) {
    (self.option, self.problem) = (option, problem)
  }

  /// One line, with the option as it is typed.
  public var description: String { "--\(option): \(problem)" }
}
