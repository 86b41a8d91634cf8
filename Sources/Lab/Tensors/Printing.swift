import Foundation

extension Tensor: CustomStringConvertible {
  /// The tensor as PyTorch prints it, with four digits, 80 columns wide; only the edges of one with
  /// more than 1000 elements.
  public var description: String {
    let rows = TensorPrinter(shape: shape)
    let elements = elements
    let format = FloatFormat(rows.printedIndices.map { elements[$0] })
    return rows.print { format.text(elements[$0]) }
  }
}

extension IntTensor: CustomStringConvertible {
  /// The tensor as PyTorch prints it, 80 columns wide; only the edges of one with more than 1000
  /// elements.
  public var description: String {
    let rows = TensorPrinter(shape: shape)
    let width = rows.printedIndices.map { String(elements[$0]).count }.max() ?? 1
    return rows.print { padded(String(elements[$0]), to: width) }
  }
}

private func padded(_ text: String, to width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// Lays out the elements of a tensor in lines and brackets.
private struct TensorPrinter {
  let shape: [Int]
  private let width = 80
  private let edge = 3
  private let threshold = 1000
  private let prefix = "tensor("

  /// The indices along a dimension that are printed; nil stands for the dots between them.
  private func indices(_ dimension: Int) -> [Int?] {
    let extent = shape[dimension]
    guard shape.reduce(1, *) > threshold, extent > 2 * edge else { return (0..<extent).map { $0 } }
    return (0..<edge).map { $0 } + [nil] + (extent - edge..<extent).map { $0 }
  }

  /// The indices of all elements that are printed, in row-major order.
  var printedIndices: [Int] {
    var found = [0]
    for dimension in shape.indices {
      found = found.flatMap { index in
        indices(dimension).compactMap { $0.map { index * shape[dimension] + $0 } }
      }
    }
    return found
  }

  /// The whole text.
  ///
  /// - Parameter element: The text of the element at an index, all of one width.
  func print(_ element: (Int) -> String) -> String {
    guard !shape.contains(0) else { return emptyText }
    return prefix + text(dimension: 0, index: 0, element) + ")"
  }

  private var emptyText: String {
    let size = shape.map(String.init).joined(separator: ", ")
    return shape == [0] ? "tensor([])" : "tensor([], size=(\(size)))"
  }

  private func text(dimension: Int, index: Int, _ element: (Int) -> String) -> String {
    guard dimension < shape.count else { return element(index) }
    let found = indices(dimension).map { $0.map { index * shape[dimension] + $0 } }
    let indent = prefix.count + dimension + 1
    if dimension == shape.count - 1 {
      let texts = found.map { $0.map(element) ?? " ..." }
      let elementWidth = (texts.first?.count ?? 0) + 2
      let perLine = max(1, (width - indent + 1) / elementWidth)
      let lines = stride(from: 0, to: texts.count, by: perLine).map {
        texts[$0..<min($0 + perLine, texts.count)].joined(separator: ", ")
      }
      return "[" + lines.joined(separator: ",\n" + String(repeating: " ", count: indent)) + "]"
    }
    let parts = found.map {
      $0.map { text(dimension: dimension + 1, index: $0, element) } ?? "..."
    }
    let breaks = String(repeating: "\n", count: shape.count - 1 - dimension)
    return "[" + parts.joined(separator: "," + breaks + String(repeating: " ", count: indent)) + "]"
  }
}

/// How PyTorch writes the floats of one tensor: all as integers, all with four digits behind the
/// point, or all in scientific notation.
private struct FloatFormat {
  private enum Style { case integer, fixed, scientific }
  private let style: Style
  private var width = 1

  init(_ values: [Float]) {
    let sizes = values.filter { $0.isFinite && $0 != 0 }.map { abs(Double($0)) }
    let isInteger = sizes.allSatisfy { $0 == $0.rounded() }
    if let smallest = sizes.min(), let largest = sizes.max(),
      largest / smallest > 1000 || largest > 1e8 || (!isInteger && smallest < 1e-4)
    {
      style = .scientific
    } else {
      style = isInteger ? .integer : .fixed
    }
    width = values.filter { $0.isFinite && $0 != 0 }.map { text($0).count }.max() ?? 1
  }

  func text(_ value: Float) -> String {
    let text: String
    switch style {
    case _ where value.isNaN: text = "nan"
    case _ where value.isInfinite: text = value < 0 ? "-inf" : "inf"
    case .scientific: text = String(format: "%.4e", value)
    case .integer: text = String(format: "%.0f.", value)
    case .fixed: text = String(format: "%.4f", value)
    }
    return padded(text, to: width)
  }
}
