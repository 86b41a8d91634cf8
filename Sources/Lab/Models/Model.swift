import ArgumentParser

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
      // The property `convDim` is stored as `_convDim`.
      let name = label.dropFirst().map { $0.isUppercase ? "_\($0.lowercased())" : "\($0)" }
      return (name.joined(), "\(option.wrappedValue)")
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// Refuses a size below 1.
  ///
  /// - Parameters:
  ///   - name: The option's name, without hyphens in front.
  ///   - value: What was given.
  /// - Throws: A `ValidationError` that names the option.
  public func atLeastOne(_ name: String, _ value: Int) throws {
    guard value >= 1 else {
      throw ValidationError("--\(name): expected a number of at least 1, got \(value)")
    }
  }
}

/// What `@Option` and `@Flag` have in common.
private protocol WrappedOption {
  associatedtype Value
  var wrappedValue: Value { get }
}

extension Option: WrappedOption {}
extension Flag: WrappedOption {}
