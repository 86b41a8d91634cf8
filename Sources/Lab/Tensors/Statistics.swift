extension Tensor {
  /// The smallest element; infinity for an empty tensor.
  public func min() -> Float {
    reduce(.infinity) { Swift.min($0, $1) }
  }

  /// The largest element; minus infinity for an empty tensor.
  public func max() -> Float {
    reduce(-.infinity) { Swift.max($0, $1) }
  }

  /// The mean of the elements.
  public func mean() -> Float {
    Float(sum / Double(count))
  }

  /// The standard deviation of the elements with Bessel's correction (a sum over `count - 1`), as
  /// `torch.std` takes it.
  public func std() -> Float {
    let mean = sum / Double(count)
    let squares = reduce(0.0) { squares, element in
      let difference = Double(element) - mean
      return squares + difference * difference
    }
    return Float((squares / Double(count - 1)).squareRoot())
  }

  private var sum: Double {
    reduce(0.0) { $0 + Double($1) }
  }

  /// The elements in row-major order, taken into account one after the other.
  private func reduce<Result>(_ initial: Result, _ next: (Result, Float) -> Result) -> Result {
    // Asked for once: asking may mean that the elements are put into another order first.
    let elements = UnsafeBufferPointer(start: pointer, count: count)
    return withExtendedLifetime(self) { elements.reduce(initial, next) }
  }
}
