/// The extents of max pooling over windows of `size`×`size` pixels (P planes: images times
/// channels; H×W pixels).
public struct PoolingExtents: Sendable, Equatable {
  public let planes, h, w: Int
  public let size, stride: Int

  public init(planes: Int, h: Int, w: Int, size: Int, stride: Int) {
    (self.planes, self.h, self.w) = (planes, h, w)
    (self.size, self.stride) = (size, stride)
  }

  /// Pixels down and across of the output; windows that stick out are left out.
  public var outputH: Int { (h - size) / stride + 1 }
  public var outputW: Int { (w - size) / stride + 1 }
}

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
