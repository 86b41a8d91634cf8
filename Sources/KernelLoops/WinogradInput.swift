// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Transforms input tiles, `V = Bᵀ d B`, and their gradients back.
///
/// Transformed tiles follow each other in memory, each as 36 × channels. A transform therefore writes
/// or reads one stretch of memory. It runs in two small loops over columns and rows: unrolled as a
/// whole it would not fit the registers.

extension Loops {
  public static func winogradInput(
    _ x: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>, tiles: TileRange,
    isCached: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    let columns = scratch
    let patch = columns + 36 * lanes
    let plane = e.channels
    let zeros = patch + 36 * lanes
    Vector.zero.store(at: zeros)
    var target = v
    for row in tiles.rows {
      if !isCached { touch(x, row, tiles.columns, e, patch) }
      for tileColumn in tiles.columns {
        let tile = InputTile(row, tileColumn, e)
        for c in stride(from: 0, to: e.c, by: lanes) {
          let corner = tile.offset + c
          if tile.isWhole, c + lanes <= e.c {
            transformInputTile(
              x + corner, e.w * e.c, e.c, into: target + c, plane, columns)
          } else if c + lanes <= e.c {
            transformBorderTile(
              x + corner, tile, e.w * e.c, e.c, zeros, into: target + c, plane, columns)
          } else {
            copy(x, tile, c, e, into: patch)
            transformInputTile(patch, 6 * lanes, lanes, into: target + c, plane, columns)
          }
        }
        target += e.tile(channels: e.channels)
      }
    }
  }

  /// Reads one float of every cache line under some tiles of a row, in the order of memory. The tiles visit
  /// these lines in an order that the processor cannot predict, and would wait for each.
  @inline(__always)
  private static func touch(
    _ x: UnsafePointer<Float>, _ row: Int, _ columns: Range<Int>, _ e: WinogradExtents,
    _ place: UnsafeMutablePointer<Float>
  ) {
    let tile = InputTile(row, 0, e)
    let band = x + tile.offset + (tile.rows.lowerBound * e.w + e.padding) * e.c
    var sum = Float.zero
    if columns.count == e.tilesAcross {
      for line in stride(from: 0, to: tile.rows.count * e.w * e.c, by: 16) { sum += band[line] }
    } else {
      let left = max(0, 4 * columns.lowerBound - e.padding)
      let right = max(left, min(e.w, 4 * columns.upperBound + 2 - e.padding))
      for row in 0..<tile.rows.count {
        let pixels = band + (row * e.w + left) * e.c
        for line in stride(from: 0, to: (right - left) * e.c, by: 16) { sum += pixels[line] }
      }
    }
    // Stored, or the compiler would remove the loop.
    place[0] = sum
  }

  /// A tile that is partly outside the image, where pixels are 0.
  @inline(never)
  private static func transformBorderTile(
    _ x: UnsafePointer<Float>, _ tile: InputTile, _ rowStride: Int, _ pixelStride: Int,
    _ zeros: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>, _ plane: Int,
    _ columns: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<6 {
      let isInside = tile.columns.contains(column)
      let top = x + column * pixelStride
      func pixel(_ row: Int) -> Vector {
        Vector(at: isInside && tile.rows.contains(row) ? top + row * rowStride : zeros)
      }
      storeSix(
        transformInput((pixel(0), pixel(1), pixel(2), pixel(3), pixel(4), pixel(5))),
        columns + column * lanes, 6 * lanes)
    }
    transformRows(columns, into: v, plane)
  }

  @inline(__always)
  private static func transformInputTile(
    _ tile: UnsafePointer<Float>, _ rowStride: Int, _ pixelStride: Int,
    into v: UnsafeMutablePointer<Float>, _ plane: Int, _ columns: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<6 {
      storeSix(
        transformInput(loadSix(tile + column * pixelStride, rowStride)),
        columns + column * lanes, 6 * lanes)
    }
    transformRows(columns, into: v, plane)
  }

  @inline(__always)
  private static func transformRows(
    _ columns: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>, _ plane: Int
  ) {
    for row in 0..<6 {
      storeSix(
        transformInput(loadSix(columns + 6 * row * lanes, lanes)), v + 6 * row * plane, plane)
    }
  }

  /// The last channels of a tile, padded to a whole vector with zeros.
  @inline(never)
  private static func copy(
    _ x: UnsafePointer<Float>, _ tile: InputTile, _ c: Int, _ e: WinogradExtents,
    into patch: UnsafeMutablePointer<Float>
  ) {
    patch.update(repeating: 0, count: 36 * lanes)
    let width = min(lanes, e.c - c)
    for row in tile.rows {
      for column in tile.columns {
        let source = x + tile.offset + (row * e.w + column) * e.c + c
        let place = patch + (6 * row + column) * lanes
        if width == lanes {
          Vector(at: source).store(at: place)
        } else {
          for lane in 0..<width { place[lane] = source[lane] }
        }
      }
    }
  }

  public static func winogradInputGradient(
    _ dv: UnsafePointer<Float>, addingTo dx: UnsafeMutablePointer<Float>, tiles: TileRange,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    let columns = scratch
    let tileRow = columns + 36 * lanes
    let plane = e.channels
    var source = dv
    for row in tiles.rows {
      for tileColumn in tiles.columns {
        let tile = InputTile(row, tileColumn, e)
        for c in stride(from: 0, to: e.c, by: lanes) {
          for column in 0..<6 {
            storeSix(
              transformInputGradient(loadSix(source + c + column * plane, 6 * plane)),
              columns + column * lanes, 6 * lanes)
          }
          let width = min(lanes, e.c - c)
          for row in tile.rows {
            let gradients = transformInputGradient(loadSix(columns + 6 * row * lanes, lanes))
            let target = dx + tile.offset + row * e.w * e.c + c
            if tile.isWhole, width == lanes {
              let sums = loadSix(target, e.c)
              storeSix(
                (
                  sums.0 + gradients.0, sums.1 + gradients.1, sums.2 + gradients.2,
                  sums.3 + gradients.3, sums.4 + gradients.4, sums.5 + gradients.5
                ), target, e.c)
            } else {
              storeSix(gradients, tileRow, lanes)
              for column in tile.columns {
                let place = target + column * e.c
                (Vector(at: place, width) + Vector(at: tileRow + column * lanes))
                  .store(at: place, width)
              }
            }
          }
        }
        source += e.tile(channels: e.channels)
      }
    }
  }
}

/// The position of a tile of 6×6 input pixels, and which of its rows and columns are inside the
/// image.
private struct InputTile {
  /// The index of its first pixel's first channel; negative if the tile starts before the image.
  let offset: Int
  let rows, columns: Range<Int>

  @inline(__always)
  init(_ row: Int, _ column: Int, _ e: WinogradExtents) {
    let image = row / e.tilesDown
    let top = 4 * (row - image * e.tilesDown) - e.padding
    let left = 4 * column - e.padding
    offset = ((image * e.h + top) * e.w + left) * e.c
    rows = Self.inside(top, e.h)
    columns = Self.inside(left, e.w)
  }

  @inline(__always)
  var isWhole: Bool { rows.count == 6 && columns.count == 6 }

  @inline(__always)
  private static func inside(_ first: Int, _ extent: Int) -> Range<Int> {
    let lower = min(6, max(0, -first))
    return lower..<max(lower, min(6, extent - first))
  }
}
