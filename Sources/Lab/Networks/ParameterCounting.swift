import LabTensors

/// Counts the parameters of a network before memory is used for them.
package enum ParameterCounting {
  @TaskLocal static var isActive = false

  /// The number of trainable parameters of a network; nil if it is too large for an `Int`.
  ///
  /// Layers get parameters that have a shape and no elements, and no random numbers are drawn. A layer
  /// that does not use the functions in `Initialization.swift` allocates its elements as usual.
  ///
  /// - Parameter make: Makes the network.
  package static func count(_ make: () -> any Layer) -> Int? {
    let network = $isActive.withValue(true, operation: make)
    var sum = 0
    for parameter in network.parameters {
      var count = 1
      for extent in parameter.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow else { return nil }
        count = product
      }
      let (total, overflow) = sum.addingReportingOverflow(count)
      guard !overflow else { return nil }
      sum = total
    }
    return sum
  }

  /// A parameter without elements.
  static func parameter(_ shape: [Int]) -> Parameter { Parameter(Tensor(absent: shape)) }
}
