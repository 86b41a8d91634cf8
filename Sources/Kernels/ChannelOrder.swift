/// Changing between the two orders of images in memory (N images, C channels, P pixels each).

/// Writes images that lie as N, C, P as N, P, C.
public func channelsLast(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, n: Int, c: Int, pixels: Int
) {
  let loops = KernelSet.current.loops
  let size = c * pixels
  parallel(count: n, grain: max(1, (1 << 16) / max(1, size))) { images in
    let scratch = Scratch(count: loops.scratchCount)
    for image in images {
      loops.transpose(
        x + image * size, stride: pixels, rows: c, columns: pixels, into: y + image * size,
        targetStride: c, scratch: scratch.pointer)
    }
  }
}

/// Writes images that lie as N, P, C as N, C, P.
public func channelsFirst(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, n: Int, c: Int, pixels: Int
) {
  channelsLast(x: x, y: y, n: n, c: pixels, pixels: c)
}
