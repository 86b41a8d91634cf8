/// Changing between the two orders of images in memory (N images, C channels, P pixels each).

/// Writes images that lie as N, C, P as N, P, C.
public func channelsLast(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, n: Int, c: Int, pixels: Int
) {
  parallel(count: n, grain: 1) { images in
    for image in images {
      transpose(x + image * c * pixels, rows: c, columns: pixels, into: y + image * c * pixels)
    }
  }
}

/// Writes images that lie as N, P, C as N, C, P.
public func channelsFirst(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, n: Int, c: Int, pixels: Int
) {
  channelsLast(x: x, y: y, n: n, c: pixels, pixels: c)
}

private func transpose(
  _ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: UnsafeMutablePointer<Float>
) {
  for column in 0..<columns {
    for row in 0..<rows { y[column * rows + row] = x[row * columns + column] }
  }
}
