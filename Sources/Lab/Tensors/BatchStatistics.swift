import Foundation

extension Tensor {
  /// Shape, type, min, mean, std and max on one line, each with its name.
  public var statistics: String {
    let figures = [("min", min()), ("mean", mean()), ("std", std()), ("max", max())]
      .map { "\($0) \(fixed($1))" }
    return "shape \(pythonTuple(shape)), type float32, \(figures.joined(separator: ", "))"
  }
}

extension IntTensor {
  /// Shape, type, min and max on one line, each with its name.
  public var statistics: String {
    let range = "min \(elements.min() ?? 0), max \(elements.max() ?? 0)"
    return "shape \(pythonTuple(shape)), type int64, \(range)"
  }
}

/// A number with four decimals, as PyTorch prints a tensor's.
private func fixed(_ value: Float) -> String {
  String(format: "%.4f", Double(value))
}
