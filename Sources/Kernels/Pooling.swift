import KernelInterface

/// The extents of max pooling.
public typealias PoolingExtents = KernelInterface.PoolingExtents

/// The largest pixel of each window, and its index in the plane (`indices`): of the first one among
/// equals, as in PyTorch. NaN counts as the largest.
public func maxPooling(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, indices: UnsafeMutablePointer<Int32>,
  _ e: PoolingExtents
) {
  parallel(count: e.planes, grain: 64) { planes in
    for plane in planes {
      let source = x + plane * e.h * e.w
      var output = plane * e.outputH * e.outputW
      for row in 0..<e.outputH {
        for column in 0..<e.outputW {
          let corner = row * e.stride * e.w + column * e.stride
          var largestIndex = corner
          var largest = source[corner]
          for r in 0..<e.size {
            for s in 0..<e.size {
              let index = corner + r * e.w + s
              if source[index] > largest || source[index].isNaN {
                largest = source[index]
                largestIndex = index
              }
            }
          }
          y[output] = largest
          indices[output] = Int32(truncatingIfNeeded: largestIndex)
          output += 1
        }
      }
    }
  }
}

/// The gradient of ``maxPooling(x:y:indices:_:)``: that of each window goes to its largest pixel.
public func maxPoolingGradient(
  dy: UnsafePointer<Float>, indices: UnsafePointer<Int32>, dx: UnsafeMutablePointer<Float>,
  _ e: PoolingExtents
) {
  let (pixels, outputs) = (e.h * e.w, e.outputH * e.outputW)
  parallel(count: e.planes, grain: 64) { planes in
    (dx + planes.lowerBound * pixels).update(repeating: 0, count: planes.count * pixels)
    for plane in planes {
      for output in plane * outputs..<(plane + 1) * outputs {
        dx[plane * pixels + Int(indices[output])] += dy[output]
      }
    }
  }
}

/// Max pooling of `e.planes` channels-last images. `codes` are the indices of the largest pixels in
/// their windows, row by row: of the first one among equals, and of the last NaN, as in PyTorch. A
/// window has at most 15×15 pixels.
public func maxPoolingChannelsLast(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>,
  channels: Int, _ e: PoolingExtents
) {
  let loops = KernelSet.current.loops
  let (input, output) = (e.h * e.w * channels, e.outputH * e.outputW * channels)
  parallel(count: e.planes, grain: max(1, (1 << 18) / max(1, input))) { images in
    for n in images {
      loops.maxPooling(
        x + n * input, into: y + n * output, codes: codes + n * output, channels: channels, e)
    }
  }
}

/// The gradient of ``maxPoolingChannelsLast(x:y:codes:channels:_:)``.
public func maxPoolingGradientChannelsLast(
  dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>, dx: UnsafeMutablePointer<Float>,
  channels: Int, _ e: PoolingExtents
) {
  let loops = KernelSet.current.loops
  let (input, output) = (e.h * e.w * channels, e.outputH * e.outputW * channels)
  parallel(count: e.planes, grain: max(1, (1 << 18) / max(1, input))) { images in
    for n in images {
      (dx + n * input).update(repeating: 0, count: input)
      loops.maxPoolingGradient(
        dy + n * output, codes: codes + n * output, addingTo: dx + n * input, channels: channels, e)
    }
  }
}

/// The mean of each channel over the pixels of each of `n` channels-last images; y is N × C.
public func meanOfPixels(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, n: Int, pixels: Int,
  channels: Int
) {
  let loops = KernelSet.current.loops
  let image = pixels * channels
  parallel(count: n, grain: max(1, (1 << 18) / max(1, image))) { images in
    for n in images {
      let sums = y + n * channels
      sums.update(from: x + n * image, count: channels)
      for pixel in 1..<max(1, pixels) {
        let other = x + n * image + pixel * channels
        loops.add(sums, other, activation: .none, into: sums, count: channels)
      }
      for c in 0..<channels { sums[c] /= Float(pixels) }
    }
  }
}

/// The gradient of ``meanOfPixels(_:into:n:pixels:channels:)``.
public func meanOfPixelsGradient(
  dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, n: Int, pixels: Int, channels: Int
) {
  let image = pixels * channels
  parallel(count: n, grain: max(1, (1 << 18) / max(1, image))) { images in
    for n in images {
      let first = dx + n * image
      for c in 0..<channels { first[c] = dy[n * channels + c] / Float(pixels) }
      for pixel in 1..<max(1, pixels) {
        (first + pixel * channels).update(from: first, count: channels)
      }
    }
  }
}

/// The windows of an average pooling, which are products of ranges of rows and ranges of columns
/// (N channels-last images, H×W pixels, C channels; or N planes with C = 1).
public struct AveragePoolingExtents: Sendable, Equatable {
  public let n, h, w, channels: Int
  /// The input rows of each output row, and the input columns of each output column.
  public let rows, columns: [Range<Int>]
  /// What each window's sum is divided by; nil for the number of its pixels.
  public let divisor: Int?

  /// Windows of one size at regular distances. Padding counts as zeros, in the divisor too, as with
  /// PyTorch's `count_include_pad=True`. Windows that do not fit are dropped.
  public init(
    n: Int, h: Int, w: Int, channels: Int, size: (h: Int, w: Int), stride: (h: Int, w: Int),
    padding: (h: Int, w: Int) = (0, 0)
  ) {
    func ranges(_ extent: Int, _ size: Int, _ stride: Int, _ padding: Int) -> [Range<Int>] {
      (0..<max(0, (extent + 2 * padding - size) / stride + 1)).map {
        let first = $0 * stride - padding
        return (first..<first + size).clamped(to: 0..<extent)
      }
    }
    (self.n, self.h, self.w, self.channels) = (n, h, w, channels)
    rows = ranges(h, size.h, stride.h, padding.h)
    columns = ranges(w, size.w, stride.w, padding.w)
    divisor = size.h * size.w
  }

  /// The windows that divide an image into `outputH`×`outputW` parts: output row i averages the rows
  /// from ⌊i H / outputH⌋ to ⌈(i + 1) H / outputH⌉, as in PyTorch.
  public init(n: Int, h: Int, w: Int, channels: Int, outputH: Int, outputW: Int) {
    func ranges(_ extent: Int, _ count: Int) -> [Range<Int>] {
      (0..<count).map { $0 * extent / count..<(($0 + 1) * extent + count - 1) / count }
    }
    (self.n, self.h, self.w, self.channels) = (n, h, w, channels)
    (rows, columns) = (ranges(h, outputH), ranges(w, outputW))
    divisor = nil
  }

  /// Calls `body` for each window of an image with its output pixel, its rows and columns, and its
  /// divisor.
  fileprivate func forEachWindow(
    _ body: (_ pixel: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ divisor: Float) -> Void
  ) {
    for (i, rows) in rows.enumerated() {
      for (j, columns) in columns.enumerated() {
        let pixels = divisor ?? rows.count * columns.count
        body(i * self.columns.count + j, rows, columns, Float(pixels))
      }
    }
  }

  fileprivate var grain: Int { max(1, (1 << 17) / max(1, h * w * channels)) }
}

/// The mean of each channel over each window.
public func averagePooling(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, _ e: AveragePoolingExtents
) {
  let loops = KernelSet.current.loops
  let (c, outputs) = (e.channels, e.rows.count * e.columns.count)
  parallel(count: e.n, grain: e.grain) { images in
    for n in images {
      let image = x + n * e.h * e.w * c
      e.forEachWindow { pixel, rows, columns, divisor in
        let sums = y + (n * outputs + pixel) * c
        sums.update(repeating: 0, count: c)
        for row in rows {
          for column in columns {
            loops.add(
              sums, image + (row * e.w + column) * c, activation: .none, into: sums, count: c)
          }
        }
        for channel in 0..<c { sums[channel] /= divisor }
      }
    }
  }
}

/// The gradient of ``averagePooling(x:y:_:)``.
public func averagePoolingGradient(
  dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ e: AveragePoolingExtents
) {
  let loops = KernelSet.current.loops
  let (c, outputs) = (e.channels, e.rows.count * e.columns.count)
  parallel(count: e.n, grain: e.grain) { images in
    let share = Scratch(count: c)
    for n in images {
      let image = dx + n * e.h * e.w * c
      image.update(repeating: 0, count: e.h * e.w * c)
      e.forEachWindow { pixel, rows, columns, divisor in
        let gradient = dy + (n * outputs + pixel) * c
        for channel in 0..<c { share.pointer[channel] = gradient[channel] / divisor }
        for row in rows {
          for column in columns {
            let target = image + (row * e.w + column) * c
            loops.add(target, share.pointer, activation: .none, into: target, count: c)
          }
        }
      }
    }
  }
}
