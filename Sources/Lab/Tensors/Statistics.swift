extension Tensor {
  /// The smallest element; infinity for an empty tensor.
  public func min() -> Float {
    var result = Float.infinity
    for index in 0..<count { result = Swift.min(result, pointer[index]) }
    return result
  }

  /// The largest element; minus infinity for an empty tensor.
  public func max() -> Float {
    var result = -Float.infinity
    for index in 0..<count { result = Swift.max(result, pointer[index]) }
    return result
  }

  /// The mean of the elements.
  public func mean() -> Float {
    Float(sum / Double(count))
  }

  /// The standard deviation of the elements with Bessel's correction (a sum over `count - 1`), as
  /// `torch.std` takes it.
  public func std() -> Float {
    let mean = sum / Double(count)
    var squares = 0.0
    for index in 0..<count {
      let difference = Double(pointer[index]) - mean
      squares += difference * difference
    }
    return Float((squares / Double(count - 1)).squareRoot())
  }

  private var sum: Double {
    var sum = 0.0
    for index in 0..<count { sum += Double(pointer[index]) }
    return sum
  }
}
