import Foundation
import Plot

/// Shows a value on the page: its type, its shape, its statistics and, if it is like images, an image.
/// In a terminal it prints one line.
///
/// ```swift
/// inspect(batch.x)
/// // batch.x: type Tensor, shape 128 × 1 × 28 × 28, min 0, max 1, mean 0.2118, std 0.3551, NaN none
/// ```
///
/// Checks do not compare what is inspected.
///
/// - Parameters:
///   - value: The value: an ``Inspectable`` one, such as a tensor, or any other.
///   - name: The name on the page; by default the expression in the source.
///   - file: The source file of the call.
///   - line: The line of the call.
@MainActor
public func inspect<Value>(
  _ value: Value, as name: String? = nil, file: String = #filePath, line: Int = #line
) {
  let session = Session.current
  let inspected = InspectedValue(of: value)
  let name = name ?? inspectedExpression(in: file, line: line) ?? "\(Value.self)"
  var inspection = Page.Inspection(name: name, facts: inspected.facts)
  attempt(line: line) {
    var png: Data?
    // A terminal shows no images.
    if let figure = inspected.figure, session.isSupervised || Recorder.isRecording {
      png = Data(try figure.atTwiceTheResolution.png())
      inspection.figure = .init(
        file: "\(figureNames.next(for: "\(Page.Figure.inspectedPrefix)\(name)")).png",
        alternativeText: Language.english[.asImages, name], width: figure.pixels.width,
        height: figure.pixels.height)
    }
    try session.show(inspection, png: png)
  }
}

/// The names of the figures of inspected values.
@MainActor private var figureNames = Identifiers(isASCII: true)

/// The expression in a call of ``inspect(_:as:file:line:)``; `nil` if the source cannot be read or has
/// changed since.
package func inspectedExpression(in file: String, line: Int) -> String? {
  guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
  let lines = withUnixLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
  guard lines.indices.contains(line - 1),
    let call = lines[line - 1].firstMatch(of: /(?:^|[^\p{L}\p{N}_.])(inspect\()/)?.output.1
  else { return nil }
  // Enough for a call that goes on in further lines.
  let rest = ([call.base[call.startIndex...]] + lines[line...].prefix(20)).joined(separator: "\n")
  let expression = SwiftArgument(firstOf: SwiftStructure(rest).tokens).source
  let words = expression.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  return words.isEmpty ? nil : words
}

/// A value that says itself what a page shows of it.
public protocol Inspectable {
  /// What a page shows of the value.
  var inspected: InspectedValue { get }
}

/// What a page shows of a value.
public struct InspectedValue: Sendable {
  /// What is known about the value, such as its type, its shape and its mean.
  public var facts: [Page.Fact]
  /// An image of the value; `nil` if it is not like one.
  public var figure: Figure?

  public init(facts: [Page.Fact], figure: Figure? = nil) {
    self.facts = facts
    self.figure = figure
  }

  /// An array of numbers, with their statistics. Numbers that are not finite are counted apart.
  ///
  /// - Parameters:
  ///   - type: The type in words.
  ///   - shape: The extent of each dimension.
  ///   - numbers: The numbers.
  ///   - areWhole: Whether they are integers.
  ///   - figure: An image of the value.
  public init(
    type: String, shape: [Int], numbers: some Sequence<Double>, areWhole: Bool = false,
    figure: Figure? = nil
  ) {
    var statistics = NumberStatistics()
    for number in numbers { statistics.add(number) }
    let extents = shape.map(String.init).joined(separator: " × ")
    self.init(
      facts: [
        .init("type", type), .init("shape", shape.isEmpty ? "a single number" : extents),
      ] + statistics.facts(areWhole: areWhole), figure: figure)
  }

  /// What is known about any value.
  package init(of value: some Any) {
    if let value = value as? any Inspectable {
      self = value.inspected
      return
    }
    let type = "\(Swift.type(of: value))"
    if let (numbers, areWhole) = Self.numbers(of: value) {
      self.init(type: type, shape: [numbers.count], numbers: numbers, areWhole: areWhole)
      return
    }
    var facts = [Page.Fact("type", type)]
    if let count = (value as? any Collection)?.count { facts.append(.init("count", "\(count)")) }
    let text = plainText("\(value)")
    facts.append(.init("value", text.count > 200 ? text.prefix(200) + "…" : text))
    self.init(facts: facts)
  }

  private static func numbers(of value: some Any) -> (numbers: [Double], areWhole: Bool)? {
    switch value {
    case let values as [Double]: (values, false)
    case let values as [Float]: (values.map(Double.init), false)
    case let values as [Int]: (values.map(Double.init), true)
    case let values as [Int32]: (values.map(Double.init), true)
    case let values as [UInt8]: (values.map(Double.init), true)
    default: nil
    }
  }
}

/// The statistics of numbers, of which those that are not finite are only counted.
private struct NumberStatistics {
  private var count = 0
  private var (smallest, largest) = (Double.infinity, -Double.infinity)
  private var mean = 0.0
  /// The sum of the squared differences from the mean. (Welford's method)
  private var squares = 0.0
  private var (nans, infinities) = (0, 0)

  mutating func add(_ number: Double) {
    guard number.isFinite else {
      if number.isNaN { nans += 1 } else { infinities += 1 }
      return
    }
    count += 1
    (smallest, largest) = (min(smallest, number), max(largest, number))
    let difference = number - mean
    mean += difference / Double(count)
    squares += difference * (number - mean)
  }

  func facts(areWhole: Bool) -> [Page.Fact] {
    var facts: [Page.Fact] = []
    func text(_ number: Double) -> String { String(format: "%.4g", number) }
    func extreme(_ number: Double) -> String {
      areWhole ? String(format: "%.0f", number) : text(number)
    }
    if count > 0 {
      facts = [
        .init("min", extreme(smallest)), .init("max", extreme(largest)), .init("mean", text(mean)),
      ]
    }
    if count > 1 { facts.append(.init("std", text((squares / Double(count - 1)).squareRoot()))) }
    if !areWhole { facts.append(.init("NaN", nans == 0 ? "none" : readableNumber(nans))) }
    if infinities > 0 { facts.append(.init("infinite", readableNumber(infinities))) }
    return facts
  }
}
