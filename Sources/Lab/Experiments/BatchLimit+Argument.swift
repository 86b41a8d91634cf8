import ArgumentParser
import LabTraining

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

  public var defaultValueDescription: String {
    switch self {
    case .count(let count): "\(count)"
    case .fraction(let fraction): "\(fraction)"
    }
  }
}
