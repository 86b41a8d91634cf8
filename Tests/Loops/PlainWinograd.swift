import KernelInterface

/// The Winograd loops by their definitions, with the matrices of F(4×4, 3×3) written out.
///
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.
extension PlainLoops {
  private static var b: Rows {
    [
      [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
    ]
  }

  private static var g: Rows {
    [
      [1.0 / 4, 0, 0], [-1.0 / 6, -1.0 / 6, -1.0 / 6], [-1.0 / 6, 1.0 / 6, -1.0 / 6],
      [1.0 / 24, 1.0 / 12, 1.0 / 6], [1.0 / 24, -1.0 / 12, 1.0 / 6], [0, 0, 1],
    ]
  }

  private static var a: Rows {
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
  }

  static func winogradWeights(
    _ weight: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, channels: Range<Int>,
    _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    for c in channels {
      for k in 0..<e.filters {
        let isReal = c < e.c && k < e.k
        let matrix = transform(g, 3) { isReal ? weight[(k * e.c + c) * 9 + 3 * $0 + $1] : 0 }
        for xi in 0..<36 {
          u[(xi * e.channels + c) * e.filters + k] = Float(matrix[xi / 6][xi % 6])
        }
      }
    }
  }

  static func winogradWeightGradient(
    _ du: UnsafePointer<Float>, parts: Int, into dWeight: UnsafeMutablePointer<Float>,
    channels: Range<Int>, _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let plane = e.channels * e.filters
    for c in channels {
      for k in 0..<e.k {
        let kernel = transform(transposed(g), 6) { row, column in
          (0..<parts).reduce(0) {
            $0 + du[($1 * 36 + 6 * row + column) * plane + c * e.filters + k]
          }
        }
        for tap in 0..<9 { dWeight[(k * e.c + c) * 9 + tap] = Float(kernel[tap / 3][tap % 3]) }
      }
    }
  }

  static func winogradInput(
    _ x: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>, tiles: TileRange,
    isCached: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    forEachTile(tiles, e) { index, image, top, left in
      for c in 0..<e.channels {
        let matrix = transform(b, 6) { row, column in
          let (row, column) = (top + row - e.padding, left + column - e.padding)
          let isInside = c < e.c && row >= 0 && row < e.h && column >= 0 && column < e.w
          return isInside ? x[((image * e.h + row) * e.w + column) * e.c + c] : 0
        }
        store(matrix, v + index * e.tile(channels: e.channels) + c, e.channels)
      }
    }
  }

  static func winogradInputGradient(
    _ dv: UnsafePointer<Float>, addingTo dx: UnsafeMutablePointer<Float>, tiles: TileRange,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    forEachTile(tiles, e) { index, image, top, left in
      for c in 0..<e.c {
        let tile = dv + index * e.tile(channels: e.channels) + c
        let pixels = transform(transposed(b), 6) { tile[(6 * $0 + $1) * e.channels] }
        for xi in 0..<36 {
          let (row, column) = (top + xi / 6 - e.padding, left + xi % 6 - e.padding)
          guard row >= 0, row < e.h, column >= 0, column < e.w else { continue }
          let place = ((image * e.h + row) * e.w + column) * e.c + c
          dx[place] = Float(Double(dx[place]) + pixels[xi / 6][xi % 6])
        }
      }
    }
  }

  static func winogradProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    tiles: Int, terms: Int, columns: Int, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    for xi in 0..<36 {
      multiply(
        StridedMatrix(a + xi * terms, row: e.tile(channels: terms), column: 1),
        StridedMatrix(b + xi * terms * columns, row: columns, column: 1), into: c + xi * columns,
        stride: e.tile(channels: columns), m: tiles, n: columns, k: terms, adding: false,
        scratch: scratch)
    }
  }

  static func winogradWeightProducts(
    _ v: UnsafePointer<Float>, _ dm: UnsafePointer<Float>, into du: UnsafeMutablePointer<Float>,
    tiles: Int, adding: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    for xi in 0..<36 {
      multiply(
        StridedMatrix(v + xi * e.channels, row: 1, column: e.tile(channels: e.channels)),
        StridedMatrix(dm + xi * e.filters, row: e.tile(channels: e.filters), column: 1),
        into: du + xi * e.channels * e.filters, stride: e.filters, m: e.channels, n: e.filters,
        k: tiles, adding: adding, scratch: scratch)
    }
  }

  static func winogradOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, tiles: TileRange, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    forEachOutput(m, bias, tiles, e) { image, top, left, k, pixels in
      for row in 0..<min(4, e.outputH - top) {
        for column in 0..<min(4, e.outputW - left) {
          let place = (image * e.outputH + top + row) * e.outputW + left + column
          y[place * e.k + k] = Float(activation.of(pixels[row][column]))
        }
      }
    }
  }

  static func winogradOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into dm: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, tiles: TileRange, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    storeGradients(into: dm, dBias, tiles, e) { image, row, column, k in
      let place = ((image * e.outputH + row) * e.outputW + column) * e.k + k
      return y.map { $0[place] > 0 } ?? true ? dy[place] : 0
    }
  }

  static func winogradPooledOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, _ epilogue: ConvolutionEpilogue,
    into y: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>?, tiles: TileRange,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    forEachOutput(m, bias, tiles, e) { image, top, left, k, pixels in
      for row in 0..<max(0, min(2, e.pooledH - top / 2)) {
        for column in 0..<max(0, min(2, e.pooledW - left / 2)) {
          let window = (0..<4).map { pixels[2 * row + $0 / 2][2 * column + $0 % 2] }
          var largest = 0
          for code in 1..<4 where window[code] > window[largest] || window[code].isNaN {
            largest = code
          }
          let (down, across) = (top / 2 + row, left / 2 + column)
          let index = ((image * e.k + k) * e.pooledH + down) * e.pooledW + across
          let isKept = epilogue.dropout?.keeps(index) ?? true
          let isDead = epilogue.activation == .relu && !(window[largest] > 0)
          let place = ((image * e.pooledH + down) * e.pooledW + across) * e.k + k
          let pixel = Float(epilogue.activation.of(window[largest]))
          y[place] = isKept ? pixel * (epilogue.dropout?.scale ?? 1) : 0
          codes?[place] = isDead || !isKept ? deadPixel : UInt8(largest)
        }
      }
    }
  }

  static func winogradPooledOutputGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>, scale: Float,
    into dm: UnsafeMutablePointer<Float>, addingTo dBias: UnsafeMutablePointer<Float>,
    tiles: TileRange, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>
  ) {
    storeGradients(into: dm, dBias, tiles, e) { image, row, column, k in
      guard row / 2 < e.pooledH, column / 2 < e.pooledW else { return 0 }
      let place = ((image * e.pooledH + row / 2) * e.pooledW + column / 2) * e.k + k
      return Int(codes[place]) == row % 2 * 2 + column % 2 ? dy[place] * scale : 0
    }
  }

  /// Calls `body` with each tile's number, its image, and its first row and column.
  private static func forEachTile(
    _ tiles: TileRange, _ e: WinogradExtents,
    _ body: (_ index: Int, _ image: Int, _ top: Int, _ left: Int) -> Void
  ) {
    var index = 0
    for row in tiles.rows {
      for column in tiles.columns {
        body(index, row / e.tilesDown, 4 * (row % e.tilesDown), 4 * column)
        index += 1
      }
    }
  }

  /// Calls `body` with the 4×4 pixels `Aᵀ M A + bias` of each tile and output channel.
  private static func forEachOutput(
    _ m: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ tiles: TileRange,
    _ e: WinogradExtents,
    _ body: (_ image: Int, _ top: Int, _ left: Int, _ k: Int, _ pixels: Rows) -> Void
  ) {
    forEachTile(tiles, e) { index, image, top, left in
      for k in 0..<e.k {
        let tile = m + index * e.tile(channels: e.filters) + k
        let pixels = transform(a, 6) { tile[(6 * $0 + $1) * e.filters] }
        body(image, top, left, k, pixels.map { $0.map { $0 + Double(bias[k]) } })
      }
    }
  }

  /// Writes `A dY Aᵀ` of each tile, and adds up each channel of dY.
  ///
  /// - Parameter gradient: That of an output pixel inside the image.
  private static func storeGradients(
    into dm: UnsafeMutablePointer<Float>, _ dBias: UnsafeMutablePointer<Float>,
    _ tiles: TileRange, _ e: WinogradExtents,
    _ gradient: (_ image: Int, _ row: Int, _ column: Int, _ k: Int) -> Float
  ) {
    var sums = (0..<e.filters).map { Double(dBias[$0]) }
    forEachTile(tiles, e) { index, image, top, left in
      for k in 0..<e.filters {
        let matrix = transform(transposed(a), 4) { row, column in
          let (row, column) = (top + row, left + column)
          let isInside = k < e.k && row < e.outputH && column < e.outputW
          let number = isInside ? gradient(image, row, column, k) : 0
          sums[k] += Double(number)
          return number
        }
        store(matrix, dm + index * e.tile(channels: e.filters) + k, e.filters)
      }
    }
    for k in 0..<e.filters { dBias[k] = Float(sums[k]) }
  }

  private static func store(_ matrix: Rows, _ target: UnsafeMutablePointer<Float>, _ stride: Int) {
    for xi in 0..<36 { target[xi * stride] = Float(matrix[xi / 6][xi % 6]) }
  }
}

private typealias Rows = [[Double]]

private func transposed(_ m: Rows) -> Rows { m[0].indices.map { column in m.map { $0[column] } } }

/// `M X Mᵀ` of a square matrix X. A NaN does not reach what it is not a term of.
private func transform(
  _ m: Rows, _ size: Int, _ x: (_ row: Int, _ column: Int) -> Float
) -> Rows {
  // Each element once: what gives it may count.
  let x = (0..<size).map { row in (0..<size).map { Double(x(row, $0)) } }
  let left = m.map { factors in
    (0..<size).map { column in
      (0..<size).reduce(0) { factors[$1] == 0 ? $0 : $0 + factors[$1] * x[$1][column] }
    }
  }
  return left.map { row in
    m.map { factors in
      (0..<size).reduce(0) { factors[$1] == 0 ? $0 : $0 + factors[$1] * row[$1] }
    }
  }
}
