import KernelInterface

/// What computes a kernel set's matrix products: its own loops, or the system's BLAS library.
///
/// Which one does follows from the extents of a product alone, never from the number of threads. The
/// library may add up an element of C in another order where C has more rows or columns, so the division of
/// a product into calls must follow from the extents, too.
package struct MatrixProducts: Sendable {
  let loops: any VectorLoops.Type
  /// Nil for the own loops alone.
  let library: BLASLibrary?
  /// Whether the library computes all products that it can, instead of those that it is faster at.
  let isForced: Bool

  init(_ loops: any VectorLoops.Type, library: BLASLibrary? = nil, isForced: Bool = false) {
    (self.loops, self.library, self.isForced) = (loops, library, isForced)
  }

  /// `C = A B` or `C += A B` on the calling thread; C is m × n, A m × k, B k × n, C's rows are contiguous.
  func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    if let library, isForced || Self.isFaster(m: m, n: n, k: k),
      BLASLibrary.canMultiply(a, b, stride: stride, m: m, n: n, k: k)
    {
      return library.multiply(a, b, into: c, stride: stride, m: m, n: n, k: k, adding: adding)
    }
    loops.multiply(
      a, b, into: c, stride: stride, m: m, n: n, k: k, adding: adding, scratch: scratch)
  }

  /// Whether the library with AVX is faster than the portable loops, by the rows of `kernel-bench`: from 32×32×32
  /// on it takes two thirds of their time, from 64×64×64 on half. For 16×16×16 it takes as long, and with a single
  /// row or column both wait for memory.
  package static func isFaster(m: Int, n: Int, k: Int) -> Bool {
    min(m, n, k) >= 8 && m * n * k >= 1 << 15
  }

  // MARK: Convolutions

  /// Whether a convolution that could be direct is faster as products of the pixels under the kernel.
  func isFasterUnfolded(_ e: ConvolutionExtents) -> Bool {
    // One with few terms may be in front of another one, where it is always direct.
    library != nil && e.patch > 32
      && (isForced || Self.isFaster(m: e.outputPixels, n: e.k, k: e.patch))
  }

  /// Whether the library computes the products of the transformed tiles of a Winograd convolution.
  func usesLibrary(_ e: WinogradExtents) -> Bool {
    library != nil
      && (isForced || Self.isFaster(m: min(e.tiles, tilesAtOnce), n: e.filters, k: e.channels))
  }

  /// Transformed tiles that are multiplied together: enough for efficient products, few enough for the
  /// caches.
  func tilesAtOnce(_ e: WinogradExtents) -> Int { usesLibrary(e) ? tilesAtOnce : 28 }

  private var tilesAtOnce: Int { 112 }

  /// `C[ξ] = A[ξ] B[ξ]` for the 36 elements ξ of a tile: A is tiles × terms, B terms × columns.
  func winogradProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    tiles: Int, terms: Int, columns: Int, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    guard let library, usesLibrary(e) else {
      return loops.winogradProducts(
        a, b, into: c, tiles: tiles, terms: terms, columns: columns, e, scratch: scratch)
    }
    for xi in 0..<36 {
      library.multiply(
        StridedMatrix(a + xi * terms, row: e.tile(channels: terms), column: 1),
        StridedMatrix(b + xi * terms * columns, row: columns, column: 1), into: c + xi * columns,
        stride: e.tile(channels: columns), m: tiles, n: columns, k: terms, adding: false)
    }
  }

  /// `dU[ξ] = Vᵀ[ξ] dM[ξ]` or `dU[ξ] += …`: V is tiles × channels, dM tiles × filters.
  func winogradWeightProducts(
    _ v: UnsafePointer<Float>, _ dm: UnsafePointer<Float>, into du: UnsafeMutablePointer<Float>,
    tiles: Int, adding: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    guard let library, usesLibrary(e) else {
      return loops.winogradWeightProducts(
        v, dm, into: du, tiles: tiles, adding: adding, e, scratch: scratch)
    }
    for xi in 0..<36 {
      library.multiply(
        StridedMatrix(v + xi * e.channels, row: 1, column: e.tile(channels: e.channels)),
        StridedMatrix(dm + xi * e.filters, row: e.tile(channels: e.filters), column: 1),
        into: du + xi * e.channels * e.filters, stride: e.filters, m: e.channels, n: e.filters,
        k: tiles, adding: adding)
    }
  }
}

extension WinogradExtents {
  /// Tiles of all images.
  fileprivate var tiles: Int { tileRows * tilesAcross }
}
