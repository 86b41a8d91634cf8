import ArgumentParser
import LabTraining

/// The number or fraction of batches that a text stands for.
///
/// - Throws: A `ValidationError` that says what is expected; the argument parser adds the option's
///   name.
package func batchLimit(_ text: String) throws -> BatchLimit {
  if let limit = BatchLimit(argument: text) { return limit }
  throw ValidationError(
    "expected a number of batches, such as 2, or a fraction of them from 0.0 to 1.0, got \(text)")
}

extension BatchLimit: ExpressibleByArgument {
  /// A whole number of at least 0, or a number with a point in 0…1.
  public init?(argument: String) {
    if let count = Int(argument) {
      guard count >= 0 else { return nil }
      self = .count(count)
    } else if let fraction = Double(argument), (0...1).contains(fraction) {
      self = .fraction(fraction)
    } else {
      return nil
    }
  }

  public var defaultValueDescription: String { description }
}
