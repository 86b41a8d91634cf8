import OpenCLKernels

/// The extents of a kernel on arrays with strides, and the distances between neighbours in each array.
///
/// Neighbouring dimensions that lie in memory as one in all arrays are merged. Kernels take up to eight
/// dimensions; should there be more, they are run several times.
struct StridedExtents {
  private(set) var shape: [Int] = []
  /// For each array its steps along the dimensions.
  private(set) var steps: [[Int]]

  /// - Parameters:
  ///   - shape: The common shape.
  ///   - strides: The strides of each array along the dimensions of the shape.
  init(shape extents: [Int], _ strides: [[Int]]) {
    steps = strides.map { _ in [] }
    for (dimension, extent) in extents.enumerated() where extent != 1 {
      let continues =
        !shape.isEmpty
        && strides.indices.allSatisfy {
          steps[$0][shape.count - 1] == strides[$0][dimension] * extent
        }
      if continues {
        shape[shape.count - 1] *= extent
      } else {
        shape.append(extent)
      }
      for array in strides.indices {
        if continues { steps[array].removeLast() }
        steps[array].append(strides[array][dimension])
      }
    }
    if shape.isEmpty { (shape, steps) = ([1], strides.map { _ in [0] }) }
  }

  private init(shape: [Int], steps: [[Int]]) {
    (self.shape, self.steps) = (shape, steps)
  }

  var count: Int { shape.reduce(1, *) }

  /// Calls `body` for extents of at most eight dimensions, with the position of the first element in each
  /// array.
  func forEachPart(_ offsets: [Int], _ body: (_ part: StridedExtents, _ offsets: [Int]) -> Void) {
    guard count > 0 else { return }
    guard shape.count > 8 else { return body(self, offsets) }
    let inner = StridedExtents(
      shape: Array(shape.dropFirst()), steps: steps.map { Array($0.dropFirst()) })
    for index in 0..<shape[0] {
      inner.forEachPart(zip(offsets, steps).map { $0 + index * $1[0] }, body)
    }
  }

  /// The arguments of a kernel: the number of dimensions, the shape and the steps of some arrays, those of
  /// the last dimension first.
  func arguments(_ arrays: [Int]) -> [any KernelArgument] {
    var arguments: [any KernelArgument] = [
      Int32(shape.count), KernelVector<SIMD8<Int32>>(shape.reversed(), filler: 1),
    ]
    for array in arrays {
      arguments.append(KernelVector<SIMD8<Int32>>(steps[array].reversed()))
    }
    return arguments
  }

  /// Without one of the dimensions.
  func without(_ dimension: Int) -> StridedExtents {
    var result = self
    result.shape.remove(at: dimension)
    for array in steps.indices { result.steps[array].remove(at: dimension) }
    if result.shape.isEmpty { (result.shape, result.steps) = ([1], steps.map { _ in [0] }) }
    return result
  }

  /// The strides of an array of this shape in row-major order.
  static func rowMajor(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for dimension in shape.indices.dropLast().reversed() {
      strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
    }
    return strides
  }
}
