import ArgumentParser
import Foundation

extension ParsableArguments {
  /// Parses the notebook's parameters, which the page lists. Exits with a message if the command line
  /// is not valid.
  ///
  /// Flags may have a value, as the runner passes them: `--quick=true`.
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
    Session.current.report(.parameters(.init(values: facts(of: parsed))))
    return parsed
  }

  private static func withoutValue(_ argument: String, flags: [String]) -> [String] {
    switch flags.first(where: { argument == "\($0)=true" || argument == "\($0)=false" }) {
    case nil: [argument]
    case let flag?: argument.hasSuffix("=true") ? [flag] : []
    }
  }
}

/// A property wrapper of the argument parser.
private protocol ParameterWrapper {
  var value: Any { get }
}

extension Option: ParameterWrapper {
  fileprivate var value: Any { wrappedValue }
}

extension Flag: ParameterWrapper {
  fileprivate var value: Any { wrappedValue }
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

/// All parameters that have a value.
private func facts(of parsed: any ParsableArguments) -> [Page.Fact] {
  wrappers(of: parsed, areParsed: true).compactMap { name, wrapper in
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
