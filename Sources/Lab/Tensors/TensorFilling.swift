extension Tensor {
  /// A tensor whose elements `fill` writes, without a copy in between.
  ///
  /// - Parameters:
  ///   - shape: The extent of each dimension.
  ///   - fill: Given all elements in row-major order, undefined; must write each of them.
  package init(
    shape: [Int], filledBy fill: (inout MutableSpan<Float>) throws -> Void
  ) rethrows {
    let storage = Storage(shape: shape)
    var elements = MutableSpan(_unsafeStart: storage.pointer(.rowMajor), count: storage.count)
    try fill(&elements)
    self.init(shape: shape, storage: storage)
  }
}
