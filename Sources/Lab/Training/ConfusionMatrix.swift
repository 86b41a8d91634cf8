/// How often images of each class are taken for each class.
///
/// ```swift
/// let confusion = try trainer.test(model, data).confusion
/// confusion[14, 24]           // images of class 14 that were taken for class 24
/// confusion.mostConfused(3)   // the pairs that are confused most often, with their texts
/// ```
public struct ConfusionMatrix: Equatable, Sendable {
  /// The text that each class stands for.
  public let mapping: [String]
  /// The number of images, a row for each right class with a column for each predicted one.
  public let counts: [[Int]]

  /// Two classes, and how often an image of one was taken for the other.
  public struct Pair: Equatable, Sendable {
    /// The right class, and what it stands for.
    public let label: (class: Int, text: String)
    /// The class that was taken for it, and what it stands for.
    public let predicted: (class: Int, text: String)
    /// The number of images.
    public let count: Int

    public static func == (a: Pair, b: Pair) -> Bool {
      a.label == b.label && a.predicted == b.predicted && a.count == b.count
    }
  }

  /// - Parameters:
  ///   - predictions: What to count.
  ///   - mapping: The text that each class stands for.
  public init(_ predictions: [Prediction], mapping: [String]) {
    var counts = mapping.map { _ in [Int](repeating: 0, count: mapping.count) }
    for prediction in predictions { counts[prediction.label][prediction.predicted] += 1 }
    self.mapping = mapping
    self.counts = counts
  }

  /// The number of images of class `label` that were taken for class `predicted`.
  public subscript(label: Int, predicted: Int) -> Int { counts[label][predicted] }

  /// The classes that there are images of.
  public var classes: [Int] { counts.indices.filter { counts[$0].contains { $0 > 0 } } }

  /// The share of a class's images that were recognised; NaN if there are none.
  public func accuracy(of label: Int) -> Double {
    Double(counts[label][label]) / Double(counts[label].reduce(0, +))
  }

  /// The pairs of a right and a wrong class that occur most often, the most frequent first.
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
    // Equal ones stay in the order of the classes.
    let sorted = pairs.enumerated().sorted {
      ($1.element.count, $0.offset) < ($0.element.count, $1.offset)
    }
    return sorted.prefix(count).map(\.element)
  }
}
