/// How often images of each class are predicted to be of each class.
///
/// ```swift
/// let confusion = try trainer.test(model, data).confusion
/// confusion[14, 24]           // images of class 14 that were predicted as class 24
/// confusion.mostConfused(3)   // the pairs that are confused most often, with their texts
/// ```
public struct ConfusionMatrix: Equatable, Sendable {
  /// The text that each class stands for.
  public let mapping: [String]
  /// The number of images: a row for each correct class, a column for each predicted one.
  public let counts: [[Int]]

  /// Two classes, and how often the second was predicted for an image of the first.
  public struct Pair: Equatable, Sendable {
    /// The correct class and its text.
    public let label: (class: Int, text: String)
    /// The predicted class and its text.
    public let predicted: (class: Int, text: String)
    /// The number of images.
    public let count: Int

    public static func == (a: Pair, b: Pair) -> Bool {
      a.label == b.label && a.predicted == b.predicted && a.count == b.count
    }
  }

  /// - Parameters:
  ///   - predictions: What to count.
  ///   - mapping: The text that each class stands for. Classes beyond, which a model may have too,
  ///     stand for their numbers.
  public init(_ predictions: [Prediction], mapping: [String]) {
    let classes = predictions.reduce(mapping.count) { max($0, $1.label + 1, $1.predicted + 1) }
    let mapping = mapping + (mapping.count..<classes).map { "\($0)" }
    var counts = mapping.map { _ in [Int](repeating: 0, count: mapping.count) }
    for prediction in predictions { counts[prediction.label][prediction.predicted] += 1 }
    self.mapping = mapping
    self.counts = counts
  }

  /// The number of images of class `label` that were predicted as class `predicted`.
  public subscript(label: Int, predicted: Int) -> Int { counts[label][predicted] }

  /// The classes that have images.
  public var classes: [Int] { counts.indices.filter { counts[$0].contains { $0 > 0 } } }

  /// The fraction of a class's images that were classified correctly; NaN if there are none.
  public func accuracy(of label: Int) -> Double {
    Double(counts[label][label]) / Double(counts[label].reduce(0, +))
  }

  /// The most frequent pairs of a correct class and a wrong prediction, the most frequent first.
  ///
  /// - Parameter count: How many, at most.
  public func mostConfused(_ count: Int) -> [Pair] {
    let pairs = counts.indices.flatMap { label in
      counts[label].indices.compactMap { predicted -> Pair? in
        guard predicted != label, counts[label][predicted] > 0 else { return nil }
        return Pair(
          label: (label, mapping[label]), predicted: (predicted, mapping[predicted]),
          count: counts[label][predicted])
      }
    }
    // Pairs of equal counts stay in the order of the classes.
    let sorted = pairs.enumerated().sorted {
      ($1.element.count, $0.offset) < ($0.element.count, $1.offset)
    }
    return sorted.prefix(count).map(\.element)
  }
}
