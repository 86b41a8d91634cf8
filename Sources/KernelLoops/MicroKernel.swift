// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

/// A block of a matrix product whose sums stay in registers.
///
/// `c[r][·] = start[r][·] + Σ o,i  a[r·aRow + o·aOuter + i·aInner] · b[o·bOuter + i·bInner + ·]`
///
/// With two nested sums, a convolution is such a product too: o counts the kernel's rows, i the pixels
/// and channels of a row.
struct BlockProduct {
  var a: UnsafePointer<Float>
  var aRow: Int
  var aInner: Int
  var aOuter = 0
  var b: UnsafePointer<Float>
  var bInner: Int
  var bOuter = 0
  var inner: Int
  var outer = 1
  /// The initial values of the sums: zeros or a bias with row stride 0, or c itself.
  var start: UnsafePointer<Float>
  var startRow: Int
  var c: UnsafeMutablePointer<Float>
  var cRow: Int
  /// Whether negative sums become 0.
  var relu = false
  /// What to prefetch for the next block, `nextInner` floats with each inner term; nil if it is in the
  /// caches already.
  var next: UnsafePointer<Float>?
  var nextInner = 0

  /// Rows of the largest block: 6 × 4 or 12 × 2 sums, a row of b and a factor fit into 32 registers, and
  /// 6 × 2 into 16.
  static let maximumRows = 6

  /// The most rows of a block, by its width in vectors.
  @inline(__always)
  static func maximumRows(_ vectors: Int) -> Int {
    #if AVX512 || NEON
      vectors <= 2 ? 12 : 6
    #else
      6
    #endif
  }

  /// - Parameters:
  ///   - rows: In 1…``maximumRows(_:)``.
  ///   - vectors: Vectors across, in 1…``blockVectors``.
  func run(rows: Int, vectors: Int) {
    switch (rows, vectors) {
    #if AVX512 || NEON
      case (1, 3): run1x3()
      case (2, 3): run2x3()
      case (3, 3): run3x3()
      case (4, 3): run4x3()
      case (5, 3): run5x3()
      case (6, 3): run6x3()
      case (1, 4): run1x4()
      case (2, 4): run2x4()
      case (3, 4): run3x4()
      case (4, 4): run4x4()
      case (5, 4): run5x4()
      case (6, 4): run6x4()
      case (7, 1): run7x1()
      case (8, 1): run8x1()
      case (9, 1): run9x1()
      case (10, 1): run10x1()
      case (11, 1): run11x1()
      case (12, 1): run12x1()
      case (7, 2): run7x2()
      case (8, 2): run8x2()
      case (9, 2): run9x2()
      case (10, 2): run10x2()
      case (11, 2): run11x2()
      case (12, 2): run12x2()
    #endif
    case (1, 1): run1x1()
    case (2, 1): run2x1()
    case (3, 1): run3x1()
    case (4, 1): run4x1()
    case (5, 1): run5x1()
    case (6, 1): run6x1()
    case (1, 2): run1x2()
    case (2, 2): run2x2()
    case (3, 2): run3x2()
    case (4, 2): run4x2()
    case (5, 2): run5x2()
    default: run6x2()
    }
    if relu { rectify(rows, vectors) }
  }

  /// Applied after the sums are stored: with a ReLU before, the compiler would not keep the sums in
  /// registers.
  private func rectify(_ rows: Int, _ vectors: Int) {
    for row in 0..<rows {
      for vector in 0..<vectors {
        let place = c + row * cRow + vector * lanes
        Vector(at: place).rectified.store(at: place)
      }
    }
  }

  // A function for each size: the compiler stops inlining into a large function.
  @inline(never) private func run1x1() { block(1, 1) }
  @inline(never) private func run2x1() { block(2, 1) }
  @inline(never) private func run3x1() { block(3, 1) }
  @inline(never) private func run4x1() { block(4, 1) }
  @inline(never) private func run5x1() { block(5, 1) }
  @inline(never) private func run6x1() { block(6, 1) }
  @inline(never) private func run1x2() { block(1, 2) }
  @inline(never) private func run2x2() { block(2, 2) }
  @inline(never) private func run3x2() { block(3, 2) }
  @inline(never) private func run4x2() { block(4, 2) }
  @inline(never) private func run5x2() { block(5, 2) }
  @inline(never) private func run6x2() { block(6, 2) }
  #if AVX512 || NEON
    @inline(never) private func run1x3() { block(1, 3) }
    @inline(never) private func run2x3() { block(2, 3) }
    @inline(never) private func run3x3() { block(3, 3) }
    @inline(never) private func run4x3() { block(4, 3) }
    @inline(never) private func run5x3() { block(5, 3) }
    @inline(never) private func run6x3() { block(6, 3) }
    @inline(never) private func run1x4() { block(1, 4) }
    @inline(never) private func run2x4() { block(2, 4) }
    @inline(never) private func run3x4() { block(3, 4) }
    @inline(never) private func run4x4() { block(4, 4) }
    @inline(never) private func run5x4() { block(5, 4) }
    @inline(never) private func run6x4() { block(6, 4) }
    @inline(never) private func run7x1() { block(7, 1) }
    @inline(never) private func run8x1() { block(8, 1) }
    @inline(never) private func run9x1() { block(9, 1) }
    @inline(never) private func run10x1() { block(10, 1) }
    @inline(never) private func run11x1() { block(11, 1) }
    @inline(never) private func run12x1() { block(12, 1) }
    @inline(never) private func run7x2() { block(7, 2) }
    @inline(never) private func run8x2() { block(8, 2) }
    @inline(never) private func run9x2() { block(9, 2) }
    @inline(never) private func run10x2() { block(10, 2) }
    @inline(never) private func run11x2() { block(11, 2) }
    @inline(never) private func run12x2() { block(12, 2) }
  #endif

  /// Both sizes are literals at the call, so the code of larger blocks is removed.
  @inline(__always)
  private func block(_ rows: Int, _ vectors: Int) {
    var (r0, r1, r2) = (first(0, rows, vectors), first(1, rows, vectors), first(2, rows, vectors))
    var (r3, r4, r5) = (first(3, rows, vectors), first(4, rows, vectors), first(5, rows, vectors))
    var (r6, r7, r8) = (first(6, rows, vectors), first(7, rows, vectors), first(8, rows, vectors))
    var (r9, r10, r11) = (
      first(9, rows, vectors), first(10, rows, vectors), first(11, rows, vectors)
    )
    var next = next ?? b
    for o in 0..<outer {
      var a = a + o * aOuter
      var b = b + o * bOuter
      for _ in 0..<inner {
        let row = BlockRow(b, vectors)
        fetch(next)
        r0.add(a[0], times: row, vectors)
        if rows > 1 { r1.add(a[aRow], times: row, vectors) }
        if rows > 2 { r2.add(a[2 * aRow], times: row, vectors) }
        if rows > 3 { r3.add(a[3 * aRow], times: row, vectors) }
        if rows > 4 { r4.add(a[4 * aRow], times: row, vectors) }
        if rows > 5 { r5.add(a[5 * aRow], times: row, vectors) }
        if rows > 6 { r6.add(a[6 * aRow], times: row, vectors) }
        if rows > 7 { r7.add(a[7 * aRow], times: row, vectors) }
        if rows > 8 { r8.add(a[8 * aRow], times: row, vectors) }
        if rows > 9 { r9.add(a[9 * aRow], times: row, vectors) }
        if rows > 10 { r10.add(a[10 * aRow], times: row, vectors) }
        if rows > 11 { r11.add(a[11 * aRow], times: row, vectors) }
        a += aInner
        b += bInner
        next += nextInner
      }
    }
    r0.store(c, vectors)
    if rows > 1 { r1.store(c + cRow, vectors) }
    if rows > 2 { r2.store(c + 2 * cRow, vectors) }
    if rows > 3 { r3.store(c + 3 * cRow, vectors) }
    if rows > 4 { r4.store(c + 4 * cRow, vectors) }
    if rows > 5 { r5.store(c + 5 * cRow, vectors) }
    if rows > 6 { r6.store(c + 6 * cRow, vectors) }
    if rows > 7 { r7.store(c + 7 * cRow, vectors) }
    if rows > 8 { r8.store(c + 8 * cRow, vectors) }
    if rows > 9 { r9.store(c + 9 * cRow, vectors) }
    if rows > 10 { r10.store(c + 10 * cRow, vectors) }
    if rows > 11 { r11.store(c + 11 * cRow, vectors) }
  }

  @inline(__always)
  private func first(_ row: Int, _ rows: Int, _ vectors: Int) -> BlockRow {
    row < rows ? BlockRow(start + row * startRow, vectors) : BlockRow()
  }
}

/// One row of a block's sums. A narrower block does not use the last vectors.
struct BlockRow {
  private var v0 = Vector.zero
  private var v1 = Vector.zero
  private var v2 = Vector.zero
  private var v3 = Vector.zero

  @inline(__always)
  init() {}

  @inline(__always)
  init(_ pointer: UnsafePointer<Float>, _ vectors: Int) {
    v0 = Vector(at: pointer)
    if vectors > 1 { v1 = Vector(at: pointer + lanes) }
    if vectors > 2 { v2 = Vector(at: pointer + 2 * lanes) }
    if vectors > 3 { v3 = Vector(at: pointer + 3 * lanes) }
  }

  @inline(__always)
  mutating func add(_ factor: Float, times row: BlockRow, _ vectors: Int) {
    let factor = Vector(repeating: factor)
    v0.add(factor, times: row.v0)
    if vectors > 1 { v1.add(factor, times: row.v1) }
    if vectors > 2 { v2.add(factor, times: row.v2) }
    if vectors > 3 { v3.add(factor, times: row.v3) }
  }

  @inline(__always)
  func store(_ pointer: UnsafeMutablePointer<Float>, _ vectors: Int) {
    v0.store(at: pointer)
    if vectors > 1 { v1.store(at: pointer + lanes) }
    if vectors > 2 { v2.store(at: pointer + 2 * lanes) }
    if vectors > 3 { v3.store(at: pointer + 3 * lanes) }
  }
}
