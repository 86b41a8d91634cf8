// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

import KernelInterface

/// The loops of batch normalization: sums over the pixels of each channel, and scaling by channel. All
/// of them read images in the order of memory.

/// Pixels of a partial sum: a single sum of many thousands of floats would lose digits.
private let run = 128

/// Calls `body` with the first channel and the number of lanes of each vector of channels.
@inline(__always)
private func forEachVector(of channels: Int, _ body: (_ c: Int, _ width: Int) -> Void) {
  let whole = channels / lanes * lanes
  for c in stride(from: 0, to: whole, by: lanes) { body(c, Vector.scalarCount) }
  if whole < channels { body(whole, channels - whole) }
}

extension Loops {
  public static func sumMoments(
    _ x: UnsafePointer<Float>, center: UnsafePointer<Float>,
    addingTo sums: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    sumRuns(pixels, channels, sums, squares, scratch) { pixel, c, width in
      let difference = Vector(at: x + pixel * channels + c, width) - Vector(at: center + c, width)
      return (difference, difference)
    }
  }

  public static func sumGradients(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    addingTo sums: UnsafeMutablePointer<Float>, products: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    sumRuns(pixels, channels, sums, products, scratch) { pixel, c, width in
      let value = Vector(at: x + pixel * channels + c, width)
      let gradient = gradient(
        Vector(at: dy + pixel * channels + c, width), value, n, activation, c, width)
      return (gradient, value - Vector(at: n.mean + c, width))
    }
  }

  /// Adds up the first of two terms, and their product, in partial sums.
  @inline(__always)
  private static func sumRuns(
    _ pixels: Int, _ channels: Int, _ sums: UnsafeMutablePointer<Float>,
    _ products: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
    _ terms: (_ pixel: Int, _ c: Int, _ width: Int) -> (Vector, Vector)
  ) {
    let (runSums, runProducts) = (scratch, scratch + channels)
    for first in stride(from: 0, to: pixels, by: run) {
      scratch.update(repeating: 0, count: 2 * channels)
      for pixel in first..<min(pixels, first + run) {
        forEachVector(of: channels) { c, width in
          let (a, b) = terms(pixel, c, width)
          var product = Vector(at: runProducts + c, width)
          product.add(a, times: b)
          product.store(at: runProducts + c, width)
          (Vector(at: runSums + c, width) + a).store(at: runSums + c, width)
        }
      }
      for c in 0..<channels {
        sums[c] += runSums[c]
        products[c] += runProducts[c]
      }
    }
  }

  public static func scaleChannels(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    for pixel in 0..<pixels {
      forEachVector(of: channels) { c, width in
        var result = Vector(at: shift + c, width)
        result.add(Vector(at: x + pixel * channels + c, width), times: Vector(at: scale + c, width))
        if case .relu = activation { result = result.rectified }
        result.store(at: y + pixel * channels + c, width)
      }
    }
  }

  public static func normalizationGradient(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    into dx: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    for pixel in 0..<pixels {
      forEachVector(of: channels) { c, width in
        let place = pixel * channels + c
        let value = Vector(at: x + place, width)
        let gradient = gradient(Vector(at: dy + place, width), value, n, activation, c, width)
        let rest = Vector(at: n.slope + c, width) * (value - Vector(at: n.mean + c, width))
        let difference = gradient - Vector(at: n.offset + c, width) - rest
        (Vector(at: n.scale + c, width) * difference).store(at: dx + place, width)
      }
    }
  }

  /// dy, or 0 where the ReLU gave 0. y is recomputed by the same operations as in the forward pass,
  /// which is faster than reading it.
  @inline(__always)
  private static func gradient(
    _ dy: Vector, _ x: Vector, _ n: NormalizationChannels, _ activation: Activation, _ c: Int,
    _ width: Int
  ) -> Vector {
    guard case .relu = activation else { return dy }
    var y = Vector(at: n.shift + c, width)
    y.add(x, times: Vector(at: n.scale + c, width))
    return dy.kept(where: y)
  }
}
