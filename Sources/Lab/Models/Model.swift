import ArgumentParser
import LabNetworks
import LabTensors

/// A whole network: a layer that is built from what the data look like and from options.
public protocol Model: Layer {
  /// What the command line may change about this model.
  associatedtype Options: ModelOptions

  /// A network with fresh weights, drawn from ``Generator/shared``.
  ///
  /// - Parameters:
  ///   - data: The shape of the images and the classes.
  ///   - options: Sizes and the like.
  init(_ data: DataConfig, _ options: Options)
}

/// Options of a model, declared in the model's own file with `@Option` and `@Flag`.
///
/// `lab train` offers them on its command line; in a program, change the defaults:
///
/// ```swift
/// var options = CNN.Options.defaults
/// options.convDim = 32
/// let model = CNN(data.config, options)
/// ```
public protocol ModelOptions: ParsableArguments {}

extension ModelOptions {
  /// The options as they are when nothing is said on the command line.
  public static var defaults: Self { parseOrExit([]) }

  /// The options as text, by the names of their properties in the course's spelling.
  ///
  /// ```swift
  /// CNN.Options.defaults.texts  // ["conv_dim": "64", "fc_dim": "128"]
  /// ```
  public var texts: [String: String] {
    let pairs = Mirror(reflecting: self).children.compactMap { child -> (String, String)? in
      guard let label = child.label, let option = child.value as? any WrappedOption else {
        return nil
      }
      return (courseName(label), "\(option.wrappedValue)")
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// An option as it is given on a command line: `--conv_dim=64`, or `--stride` for a flag that says
  /// which of several.
  ///
  /// - Parameters:
  ///   - name: The option's name, as in ``texts``.
  ///   - text: Its value, as there.
  package func argument(_ name: String, _ text: String) -> String {
    let isFlag = Mirror(reflecting: self).children.contains { child in
      child.label.map(courseName) == name && (child.value as? any WrappedOption)?.isFlag == true
    }
    return isFlag ? "--\(text)" : "--\(name)=\(text)"
  }

  /// Refuses a size that is below 1, or that no memory holds.
  ///
  /// - Parameters:
  ///   - name: The option's name, without hyphens in front.
  ///   - value: What was given.
  ///   - most: The largest size that makes sense.
  /// - Throws: A `ValidationError` that names the option.
  public func checkSize(_ name: String, _ value: Int, atMost most: Int) throws {
    guard (1...most).contains(value) else {
      throw ValidationError("--\(name): expected 1 to \(most), got \(value)")
    }
  }
}

/// An option's name in the course's spelling: the property `convDim` is stored as `_convDim`, and
/// becomes `conv_dim`.
private func courseName(_ label: String) -> String {
  label.dropFirst().map { $0.isUppercase ? "_\($0.lowercased())" : "\($0)" }.joined()
}

/// What `@Option` and `@Flag` have in common.
private protocol WrappedOption {
  associatedtype Value
  var wrappedValue: Value { get }
  var isFlag: Bool { get }
}

extension Option: WrappedOption {
  var isFlag: Bool { false }
}

extension Flag: WrappedOption {
  var isFlag: Bool { true }
}
