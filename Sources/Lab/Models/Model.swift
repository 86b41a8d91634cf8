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
