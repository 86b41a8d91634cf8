import KernelInterface

/// The extents of max pooling.
public typealias PoolingExtents = KernelInterface.PoolingExtents

/// The largest pixel of each window, and where it is: `places` gets its index in the plane, of the
/// first one among equals, as in PyTorch. A NaN counts as the largest.
public func maxPooling(
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, places: UnsafeMutablePointer<Int32>,
  _ e: PoolingExtents
) {
  parallel(count: e.planes, grain: 64) { planes in
    for plane in planes {
      let source = x + plane * e.h * e.w
      var output = plane * e.outputH * e.outputW
      for row in 0..<e.outputH {
        for column in 0..<e.outputW {
          let corner = row * e.stride * e.w + column * e.stride
          var place = corner
          var largest = source[corner]
          for r in 0..<e.size {
            for s in 0..<e.size {
              let index = corner + r * e.w + s
              if source[index] > largest || source[index].isNaN {
                largest = source[index]
                place = index
              }
            }
          }
          y[output] = largest
          places[output] = Int32(truncatingIfNeeded: place)
          output += 1
        }
      }
    }
  }
}

/// The gradient of ``maxPooling(x:y:places:_:)``: each window's goes to the pixel it came from.
public func maxPoolingGradient(
  dy: UnsafePointer<Float>, places: UnsafePointer<Int32>, dx: UnsafeMutablePointer<Float>,
  _ e: PoolingExtents
) {
  let (pixels, outputs) = (e.h * e.w, e.outputH * e.outputW)
  parallel(count: e.planes, grain: 64) { planes in
    (dx + planes.lowerBound * pixels).update(repeating: 0, count: planes.count * pixels)
    for plane in planes {
      for output in plane * outputs..<(plane + 1) * outputs {
        dx[plane * pixels + Int(places[output])] += dy[output]
      }
    }
  }
}

/// Max pooling of channels-last images, of which `e.planes` is the number; `codes` gets the place of
/// each window's largest pixel in the window, row by row: of the first one among equals, and of
/// the last NaN, as in PyTorch. A window has at most 15×15 pixels.
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
        loops.add(sums, other, relu: false, into: sums, count: channels)
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
