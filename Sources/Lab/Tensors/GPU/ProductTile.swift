import KernelInterface
import OpenCLKernels

/// How the result of a product is divided among groups of threads; see `products-core.cl`.
struct ProductTile: Hashable {
  /// The results of a group of threads.
  let rows, columns: Int
  /// The results of each warp of 32 threads.
  let warpRows, warpColumns: Int
  /// Elements of the reduction in a step.
  let depth: Int

  init(_ rows: Int, _ columns: Int, depth: Int, warp: (rows: Int, columns: Int)) {
    (self.rows, self.columns, self.depth) = (rows, columns, depth)
    (warpRows, warpColumns) = warp
  }

  var threads: Int { 32 * (rows / warpRows) * (columns / warpColumns) }

  var macros: [String] {
    [
      "BM=\(rows)", "BN=\(columns)", "BK=\(depth)", "WARP_M=\(warpRows)", "WARP_N=\(warpColumns)",
    ]
  }

  /// The groups that a result of these extents takes.
  func groups(rows m: Int, columns n: Int) -> (Int, Int) {
    ((m + rows - 1) / rows, (n + columns - 1) / columns)
  }

  /// The tile for a result of m × n.
  ///
  /// - Parameters:
  ///   - units: The device's compute units.
  ///   - hasTensorCores: Whether the products are those of tensor cores, whose warps take more.
  static func tile(rows m: Int, columns n: Int, units: Int, hasTensorCores: Bool) -> ProductTile {
    let columns = n <= 16 ? 16 : n <= 32 ? 32 : 64
    let tiles = (m + 127) / 128 * ((n + columns - 1) / columns)
    if tiles >= 2 * units {
      return ProductTile(
        128, columns, depth: 16, warp: (32, hasTensorCores ? columns : min(32, columns)))
    }
    let rows = m <= 32 ? 32 : 64
    return ProductTile(
      rows, columns, depth: hasTensorCores ? 32 : 16, warp: (32, min(32, columns)))
  }

  /// The tile for the gradient of a weight of `filters` kernels of `patch` elements each: its threads
  /// are a multiple of a quarter of its rows and of its columns.
  static func weightTile(patch: Int, filters: Int, hasTensorCores: Bool) -> ProductTile {
    let columns = filters <= 16 ? 16 : filters <= 32 ? 32 : 64
    if patch <= 32 {
      return ProductTile(32, columns, depth: hasTensorCores ? 32 : 16, warp: (32, 16))
    }
    if hasTensorCores, columns == 64, patch % 192 == 0 || patch >= 768 {
      return ProductTile(192, 64, depth: 16, warp: (32, 64))
    }
    return ProductTile(
      64, columns, depth: hasTensorCores ? 32 : 16, warp: (32, min(32, columns)))
  }

  /// How many parts a reduction of `steps` steps is divided into, so that all of the device works, and
  /// the steps of each. There are 16 warps for each compute unit, in groups of `warps`.
  static func parts(
    steps: Int, groups: Int, warps: Int = 8, units: Int, least: Int
  ) -> (count: Int, steps: Int) {
    let wanted = max(1, 16 * units / max(1, groups * warps))
    let each = max(least, (steps + wanted - 1) / wanted)
    return each >= steps ? (1, max(1, steps)) : ((steps + each - 1) / each, each)
  }
}

/// The taps of a kernel that the rows (or columns) of an image meet whose number has a given rest after
/// division by the stride; see `input_gradient` in `convolution-gradients.cl`.
struct GradientAxis {
  let rest, count, tap, every, taps, origin, step: Int

  init(
    rest: Int, extent: Int, stride: Int, padding: Int, dilation: Int, kernel: Int
  ) {
    let divisor = commonDivisor(stride, dilation)
    self.rest = rest
    count = max(0, (extent - rest + stride - 1) / stride)
    (every, step) = (stride / divisor, dilation / divisor)
    guard
      let tap = (0..<kernel).first(where: { (rest + padding - $0 * dilation) % stride == 0 })
    else {
      (tap, taps, origin) = (0, 0, 0)
      return
    }
    self.tap = tap
    taps = (kernel - tap + every - 1) / every
    origin = (rest + padding - tap * dilation) / stride
  }

  var arguments: [any KernelArgument] {
    [rest, count, tap, every, taps, origin, step].map { Int32(clamping: $0) }
  }
}

private func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }
