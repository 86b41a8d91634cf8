/// An array of integers of any number of dimensions, in row-major order: labels and predictions.
///
/// ```swift
/// IntTensor([4, 12, 65])  // tensor([ 4, 12, 65])
/// ```
public struct IntTensor: Equatable, Sendable {
  /// The extent of each dimension.
  public let shape: [Int]
  /// The elements in row-major order.
  public let elements: [Int]

  /// - Parameters:
  ///   - elements: As many integers as a tensor of `shape` has elements.
  ///   - shape: The extent of each dimension.
  public init(_ elements: [Int], shape: [Int]) {
    precondition(
      elements.count == shape.reduce(1, *),
      "a tensor of shape \(shape) has \(shape.reduce(1, *)) elements, got \(elements.count)")
    self.shape = shape
    self.elements = elements
  }

  /// A tensor of one dimension.
  public init(_ elements: [Int]) {
    self.init(elements, shape: [elements.count])
  }

  /// The number of elements.
  public var count: Int { elements.count }

  /// Some rows: the part at these indices of the first dimension.
  package func rows(_ range: Range<Int>) -> IntTensor {
    let each = shape.dropFirst().reduce(1, *)
    return IntTensor(
      Array(elements[range.lowerBound * each..<range.upperBound * each]),
      shape: [range.count] + shape.dropFirst())
  }
}

extension IntTensor {
  /// Shape, type, min and max on one line, each with its name.
  public var statistics: String {
    let range = "min \(elements.min() ?? 0), max \(elements.max() ?? 0)"
    return "shape \(pythonTuple(shape)), type int64, \(range)"
  }
}
