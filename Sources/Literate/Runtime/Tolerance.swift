/// How far the results of a cell may be from those of an accepted run.
///
/// ```swift
/// cell("A convolutional network", tolerance: 0.01)
/// cell("Nine predictions", tolerance: .init(pixels: 0.02))
/// ```
public struct Tolerance: Codable, Equatable, Sendable, ExpressibleByFloatLiteral {
  /// How much two numbers of the text may differ.
  public var numbers: Double
  /// The share of the text's numbers that may differ by more.
  public var share: Double
  /// The share of a figure's pixels that may differ.
  public var pixels: Double

  /// - Parameters:
  ///   - numbers: How much two numbers of the text may differ.
  ///   - share: The share of the text's numbers that may differ by more, from 0 to 1.
  ///   - pixels: The share of a figure's pixels that may differ, from 0 to 1.
  public init(numbers: Double = 0, share: Double = 0, pixels: Double = 0) {
    self.numbers = numbers
    self.share = share
    self.pixels = pixels
  }

  /// A tolerance for numbers; figures are to be the same.
  public init(floatLiteral value: Double) {
    self.init(numbers: value)
  }

  /// All is to be the same.
  public static let exact = Tolerance()
}
