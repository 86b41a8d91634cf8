/// Conversion of images between PyTorch's order N C H W and N H W C, the order of the fast kernels.

/// Copies images from N×C×pixels to N×pixels×C.
public func channelsLast(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, n: Int, c: Int, pixels: Int
) {
  transposeEach(x, into: y, count: n, rows: c, columns: pixels)
}

/// Copies images from N×pixels×C to N×C×pixels.
public func channelsFirst(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, n: Int, c: Int, pixels: Int
) {
  transposeEach(x, into: y, count: n, rows: pixels, columns: c)
}

private func transposeEach(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, rows: Int,
  columns: Int
) {
  let loops = KernelSet.current.loops
  let size = rows * columns
  parallel(count: count, grain: max(1, (1 << 17) / max(1, size))) { range in
    for index in range {
      loops.transpose(
        x + index * size, stride: columns, rows: rows, columns: columns, into: y + index * size,
        targetStride: rows)
    }
  }
}
