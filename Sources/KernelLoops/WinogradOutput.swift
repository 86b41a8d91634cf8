// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Transforms output tiles to pixels, `Y = Aᵀ M A`, adds the bias and applies the activation, and
/// transforms the gradients back.

extension Loops {
  public static func winogradOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, tiles: TileRange, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let (columns, pixels) = (scratch, scratch + 24 * lanes)
    let plane = e.filters
    var source = m
    for row in tiles.rows {
      for column in tiles.columns {
        let tile = OutputTile(row, column, e)
        for k in stride(from: 0, to: e.k, by: lanes) {
          transformOutputTile(source + k, plane, bias + k, into: pixels, columns)
          let width = min(lanes, e.k - k)
          for row in 0..<tile.rows {
            for column in 0..<tile.columns {
              var pixel = Vector(at: pixels + (4 * row + column) * lanes)
              if case .relu = activation { pixel = pixel.rectified }
              pixel.store(at: y + tile.offset + (row * e.outputW + column) * e.k + k, width)
            }
          }
        }
        source += e.tile(channels: e.filters)
      }
    }
  }

  @inline(__always)
  static func transformOutputTile(
    _ m: UnsafePointer<Float>, _ plane: Int, _ bias: UnsafePointer<Float>,
    into pixels: UnsafeMutablePointer<Float>, _ columns: UnsafeMutablePointer<Float>
  ) {
    let bias = Vector(at: bias)
    for column in 0..<6 {
      storeFour(
        transformOutput(loadSix(m + column * plane, 6 * plane)),
        columns + column * lanes, 6 * lanes)
    }
    for row in 0..<4 {
      let p = transformOutput(loadSix(columns + 6 * row * lanes, lanes))
      storeFour((p.0 + bias, p.1 + bias, p.2 + bias, p.3 + bias), pixels + 4 * row * lanes, lanes)
    }
  }

  public static func winogradOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into dm: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, tiles: TileRange, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let (columns, pixels) = (scratch, scratch + 24 * lanes)
    let plane = e.filters
    var target = dm
    for row in tiles.rows {
      for column in tiles.columns {
        let tile = OutputTile(row, column, e)
        for k in stride(from: 0, to: e.k, by: lanes) {
          let width = min(lanes, e.k - k)
          if tile.rows < 4 || tile.columns < 4 {
            pixels.update(repeating: 0, count: 16 * lanes)
          }
          var sum = Vector(at: dBias + k)
          for row in 0..<tile.rows {
            for column in 0..<tile.columns {
              let place = tile.offset + (row * e.outputW + column) * e.k + k
              var gradient = Vector(at: dy + place, width)
              if let y {
                gradient = gradient.kept(where: Vector(at: y + place, width))
              }
              sum += gradient
              gradient.store(at: pixels + (4 * row + column) * lanes)
            }
          }
          sum.store(at: dBias + k)
          transformOutputGradientTile(pixels, into: target + k, plane, columns)
        }
        target += e.tile(channels: e.filters)
      }
    }
  }

  @inline(__always)
  static func transformOutputGradientTile(
    _ pixels: UnsafePointer<Float>, into dm: UnsafeMutablePointer<Float>, _ plane: Int,
    _ columns: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<4 {
      storeSix(
        transformOutputGradient(loadFour(pixels + column * lanes, 4 * lanes)),
        columns + column * lanes, 4 * lanes)
    }
    for row in 0..<6 {
      storeSix(
        transformOutputGradient(loadFour(columns + 4 * row * lanes, lanes)),
        dm + 6 * row * plane, plane)
    }
  }
}

/// The position of a tile of 4×4 output pixels, and how many of its rows and columns are inside the
/// image.
struct OutputTile {
  /// The index of its first pixel's first channel.
  let offset: Int
  let rows, columns: Int

  @inline(__always)
  init(_ row: Int, _ column: Int, _ e: WinogradExtents) {
    let image = row / e.tilesDown
    let top = 4 * (row - image * e.tilesDown)
    offset = ((image * e.outputH + top) * e.outputW + 4 * column) * e.k
    rows = min(4, e.outputH - top)
    columns = min(4, e.outputW - 4 * column)
  }
}
