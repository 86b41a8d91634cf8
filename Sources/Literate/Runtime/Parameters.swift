import ArgumentParser
import Foundation

extension ParsableArguments {
  /// Parses the notebook's parameters, which the page lists. Exits with a message if the command line
  /// is not valid.
  ///
  /// Flags may have a value, as the runner passes them: `--quick=true`. An option whose value is a
  /// ``Language`` chooses the language in which a notebook run directly prints titles; it changes no
  /// result and is not among the parameters. Without one, `LAB_LANGUAGE` does.
  ///
  /// - Parameters:
  ///   - arguments: The command line without the program's name.
  ///   - output: The folder below which a notebook run directly writes its figures, in a folder of its
  ///     name. The runner chooses another folder.
  @MainActor
  public static func parameters(
    from arguments: [String], output: URL = URL(filePath: "output", directoryHint: .isDirectory)
  ) -> Self {
    let flags = wrappers(of: Self()).filter { $0.wrapper is Flag<Bool> }.map { "--\($0.name)" }
    let parsed = parseOrExit(arguments.flatMap { withoutValue($0, flags: flags) })
    // The session starts here: with parameters that are not valid there is none.
    Session.current.output = output
    let language = wrappers(of: parsed, areParsed: true).lazy
      .compactMap { ($0.wrapper as? Option<Language?>)?.wrappedValue }.first
    Session.current.language = language ?? attempt { try Language.fromEnvironment() }
    Session.current.report(
      .parameters(.init(values: facts(of: parsed), declared: declarations(of: parsed))))
    return parsed
  }

  private static func withoutValue(_ argument: String, flags: [String]) -> [String] {
    switch flags.first(where: { argument == "\($0)=true" || argument == "\($0)=false" }) {
    case nil: [argument]
    case let flag?: argument.hasSuffix("=true") ? [flag] : []
    }
  }
}

/// A parameter of a notebook, as a form shows it.
package struct ParameterDeclaration: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, Sendable {
    case flag, number, text, choice
  }

  package var name: String
  package var kind: Kind
  /// The names of a choice.
  package var choices: [String]?
  /// The default; `nil` if there is none.
  package var standard: String?
  package var help: String?
}

/// A property wrapper of the argument parser.
private protocol ParameterWrapper {
  var value: Any { get }
  static var valueType: Any.Type { get }
}

extension Option: ParameterWrapper {
  fileprivate var value: Any { wrappedValue }
  fileprivate static var valueType: Any.Type { Value.self }
}

extension Flag: ParameterWrapper {
  fileprivate var value: Any { wrappedValue }
  fileprivate static var valueType: Any.Type { Value.self }
}

/// A property wrapper for the parameters of another type.
private protocol ParameterGroup {
  /// The parameters before parsing.
  static var unparsed: any ParsableArguments { get }
  var value: any ParsableArguments { get }
}

extension OptionGroup: ParameterGroup {
  fileprivate static var unparsed: any ParsableArguments { Value() }
  fileprivate var value: any ParsableArguments { wrappedValue }
}

private func wrappers(
  of arguments: any ParsableArguments, areParsed: Bool = false
) -> [(name: String, wrapper: any ParameterWrapper)] {
  Mirror(reflecting: arguments).children.flatMap { child in
    if let group = child.value as? any ParameterGroup {
      return wrappers(
        of: areParsed ? group.value : type(of: group).unparsed, areParsed: areParsed)
    }
    guard let wrapper = child.value as? any ParameterWrapper, let label = child.label else {
      return []
    }
    return [(spelledAsOption(label), wrapper)]
  }
}

/// The course's spelling of a property wrapper's storage: `_maxEpochs` becomes `max_epochs`.
private func spelledAsOption(_ label: String) -> String {
  label.drop { $0 == "_" }.reduce("") { $0 + ($1.isUppercase ? "_" : "") + $1.lowercased() }
}

/// What each parameter accepts. The names of flags other than `--name` are left out.
private func declarations<Arguments: ParsableArguments>(
  of parsed: Arguments
) -> [ParameterDeclaration] {
  let standard = (try? Arguments.parse([])).map(facts(of:)) ?? []
  // The argument parser tells the help of an option nowhere else. Wide columns keep it on one line.
  let help = Arguments.helpMessage(columns: 10_000).split(separator: "\n").map(String.init)
  return parameters(of: parsed).map { name, wrapper in
    let (kind, choices) = kind(of: type(of: wrapper).valueType)
    return ParameterDeclaration(
      name: name, kind: kind, choices: choices,
      standard: standard.first { $0.name == name }?.value, help: helpText(of: name, in: help))
  }
}

private func kind(
  of type: Any.Type
) -> (ParameterDeclaration.Kind, choices: [String]?) {
  if let optional = type as? any OptionalType.Type { return kind(of: optional.wrapped) }
  if type == Bool.self { return (.flag, nil) }
  if type is any Numeric.Type { return (.number, nil) }
  if let choice = type as? any CaseIterable.Type { return (.choice, names(of: choice)) }
  return (.text, nil)
}

private func names<Choice: CaseIterable>(of type: Choice.Type) -> [String] {
  type.allCases.map { asArgument($0) }
}

private protocol OptionalType {
  static var wrapped: Any.Type { get }
}

extension Optional: OptionalType {
  fileprivate static var wrapped: Any.Type { Wrapped.self }
}

/// The help of an option: behind its name, or on the next line if the name is long.
private func helpText(of name: String, in lines: [String]) -> String? {
  let spellings = ["--\(name)", "--\(name.replacing("_", with: "-"))"]
  for (index, line) in lines.enumerated() {
    let text = line.drop { $0 == " " }
    guard line.hasPrefix("  "),
      let spelling = spellings.first(where: { text.hasPrefix("\($0) ") || text == $0 })
    else { continue }
    let rest = text.dropFirst(spelling.count)
    let help = rest.firstRange(of: "  ").map { rest[$0.upperBound...].drop { $0 == " " } }
    if let help, !help.isEmpty { return String(help) }
    guard index + 1 < lines.count, lines[index + 1].hasPrefix("      ") else { return nil }
    return String(lines[index + 1].drop { $0 == " " })
  }
  return nil
}

/// All options but the language.
private func parameters(
  of parsed: any ParsableArguments
) -> [(name: String, wrapper: any ParameterWrapper)] {
  wrappers(of: parsed, areParsed: true).filter { !($0.wrapper is Option<Language?>) }
}

/// All parameters that have a value.
private func facts(of parsed: any ParsableArguments) -> [Page.Fact] {
  parameters(of: parsed).compactMap { name, wrapper in
    let mirror = Mirror(reflecting: wrapper.value)
    guard mirror.displayStyle == .optional else {
      return Page.Fact(name, asArgument(wrapper.value))
    }
    return mirror.children.first.map { Page.Fact(name, asArgument($0.value)) }
  }
}

/// A value in the spelling of the command line.
private func asArgument(_ value: Any) -> String {
  (value as? any ExpressibleByArgument)?.defaultValueDescription ?? String(describing: value)
}
