// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Transforms output tiles to pixels after bias, ReLU, 2×2 pooling and dropout, and their gradients
/// back. The pixels before pooling are never in memory.

extension Loops {
  public static func winogradPooledOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, _ epilogue: ConvolutionEpilogue,
    into y: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>?, tiles: TileRange,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    let (columns, pixels) = (scratch, scratch + 24 * lanes)
    let plane = e.filters
    var source = m
    for row in tiles.rows {
      for column in tiles.columns {
        let tile = PooledTile(row, column, e)
        for k in stride(from: 0, to: e.k, by: lanes) {
          transformOutputTile(source + k, plane, bias + k, into: pixels, columns)
          let width = min(lanes, e.k - k)
          for row in 0..<tile.rows {
            for column in 0..<tile.columns {
              let corner = pixels + (8 * row + 2 * column) * lanes
              var (pixel, code) = largest(corner)
              if case .relu = epilogue.activation {
                code = code.replacing(with: Words(repeating: 4), where: .!(pixel .> Vector.zero))
                pixel = pixel.rectified
              }
              if let dropout = epilogue.dropout {
                let first = tile.logicalIndex(row, column, k, e)
                let isKept = dropout.keeps(from: first, step: e.pooledH * e.pooledW)
                pixel = Vector.zero.replacing(with: pixel * dropout.scale, where: isKept)
                code = Words(repeating: 4).replacing(with: code, where: isKept)
              }
              let place = tile.offset + (row * e.pooledW + column) * e.k + k
              pixel.store(at: y + place, width)
              if let codes { code.storeBytes(at: codes + place, width) }
            }
          }
        }
        source += e.tile(channels: e.filters)
      }
    }
  }

  /// The largest of 2×2 pixels and its index: of the first one among equals, and of the last NaN, as
  /// in PyTorch.
  @inline(__always)
  private static func largest(_ corner: UnsafePointer<Float>) -> (Vector, Words) {
    var pixel = Vector(at: corner)
    var code = Words.zero
    for (index, place) in [(1 as UInt32, 1), (2, 4), (3, 5)] {
      let other = Vector(at: corner + place * lanes)
      let isLarger = (other .> pixel) .| (other .!= other)
      pixel = pixel.replacing(with: other, where: isLarger)
      code = code.replacing(with: Words(repeating: index), where: isLarger)
    }
    return (pixel, code)
  }

  public static func winogradPooledOutputGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>, scale: Float,
    into dm: UnsafeMutablePointer<Float>, addingTo dBias: UnsafeMutablePointer<Float>,
    tiles: TileRange, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    let (columns, pixels) = (scratch, scratch + 24 * lanes)
    let plane = e.filters
    var target = dm
    for row in tiles.rows {
      for column in tiles.columns {
        let tile = PooledTile(row, column, e)
        for k in stride(from: 0, to: e.k, by: lanes) {
          let width = min(lanes, e.k - k)
          if tile.rows < 2 || tile.columns < 2 {
            pixels.update(repeating: 0, count: 16 * lanes)
          }
          var sum = Vector(at: dBias + k)
          for row in 0..<tile.rows {
            for column in 0..<tile.columns {
              let place = tile.offset + (row * e.pooledW + column) * e.k + k
              let gradient = Vector(at: dy + place, width) * scale
              let code = Words(bytesAt: codes + place, width)
              let corner = pixels + (8 * row + 2 * column) * lanes
              let zero = Vector.zero
              let (first, second) = (
                code.isEqual(Words(repeating: 0)).choose(gradient, zero),
                code.isEqual(Words(repeating: 1)).choose(gradient, zero)
              )
              let (third, fourth) = (
                code.isEqual(Words(repeating: 2)).choose(gradient, zero),
                code.isEqual(Words(repeating: 3)).choose(gradient, zero)
              )
              sum += (first + second) + (third + fourth)
              first.store(at: corner)
              second.store(at: corner + lanes)
              third.store(at: corner + 4 * lanes)
              fourth.store(at: corner + 5 * lanes)
            }
          }
          sum.store(at: dBias + k)
          transformOutputGradientTile(pixels, into: target + k, plane, columns)
        }
        target += e.tile(channels: e.filters)
      }
    }
  }
}

/// The position of the 2×2 pooled pixels of a tile, and how many of their rows and columns are inside
/// the image.
private struct PooledTile {
  /// The index of its first pixel's first channel.
  let offset: Int
  let rows, columns: Int
  private let image, top, left: Int

  @inline(__always)
  init(_ row: Int, _ column: Int, _ e: WinogradExtents) {
    image = row / e.tilesDown
    (top, left) = (2 * (row - image * e.tilesDown), 2 * column)
    offset = ((image * e.pooledH + top) * e.pooledW + left) * e.k
    rows = min(2, e.pooledH - top)
    columns = min(2, e.pooledW - left)
  }

  /// The index of a channel of a pixel in the order N C H W.
  @inline(__always)
  func logicalIndex(_ row: Int, _ column: Int, _ k: Int, _ e: WinogradExtents) -> Int {
    ((image * e.k + k) * e.pooledH + top + row) * e.pooledW + left + column
  }
}
