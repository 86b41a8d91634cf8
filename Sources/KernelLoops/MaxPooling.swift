// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// Max pooling of one channels-last image.

extension Loops {
  public static func maxPooling(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>, channels: Int, _ e: PoolingExtents
  ) {
    var place = 0
    for row in 0..<e.outputH {
      for column in 0..<e.outputW {
        let corner = x + (row * e.w + column) * e.stride * channels
        for c in stride(from: 0, to: channels, by: lanes) {
          let width = min(lanes, channels - c)
          var largest = Vector(at: corner + c, width)
          var code = Words.zero
          for r in 0..<e.size {
            for s in 0..<e.size {
              let pixel = Vector(at: corner + (r * e.w + s) * channels + c, width)
              let isLarger = (pixel .> largest) .| (pixel .!= pixel)
              largest = largest.replacing(with: pixel, where: isLarger)
              code = code.replacing(
                with: Words(repeating: UInt32(truncatingIfNeeded: r * e.size + s)),
                where: isLarger)
            }
          }
          largest.store(at: y + place + c, width)
          code.storeBytes(at: codes + place + c, width)
        }
        place += channels
      }
    }
  }

  public static func maxPoolingGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>,
    addingTo dx: UnsafeMutablePointer<Float>, channels: Int, _ e: PoolingExtents
  ) {
    var place = 0
    for row in 0..<e.outputH {
      for column in 0..<e.outputW {
        let corner = dx + (row * e.w + column) * e.stride * channels
        for c in stride(from: 0, to: channels, by: lanes) {
          let width = min(lanes, channels - c)
          let gradient = Vector(at: dy + place + c, width)
          let code = Words(bytesAt: codes + place + c, width)
          for r in 0..<e.size {
            for s in 0..<e.size {
              let target = corner + (r * e.w + s) * channels + c
              let isHere = code .== Words(repeating: UInt32(truncatingIfNeeded: r * e.size + s))
              (Vector(at: target, width) + Vector.zero.replacing(with: gradient, where: isHere))
                .store(at: target, width)
            }
          }
        }
        place += channels
      }
    }
  }
}
