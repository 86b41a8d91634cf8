import KernelInterface

/// Sums over the pixels of each channel, and scaling by channel: what batch normalisation is made
/// of.
///
/// A sum is taken in runs of pixels, each with sums of its own: a single sum of many thousands of
/// floats would lose digits.

/// Pixels of a run.
private let run = 128

extension Loops {
  /// Calls `body` for each vector of channels of each run of pixels.
  @inline(__always)
  private static func forEachRun(
    _ pixels: Int, _ channels: Int, _ body: (_ run: Range<Int>, _ c: Int, _ width: Int) -> Void
  ) {
    for first in stride(from: 0, to: pixels, by: run) {
      let pixels = first..<min(pixels, first + run)
      for c in stride(from: 0, to: channels / lanes * lanes, by: lanes) {
        body(pixels, c, Vector.scalarCount)
      }
      if channels % lanes > 0 {
        body(pixels, channels / lanes * lanes, channels % lanes)
      }
    }
  }

  public static func sumChannels(
    _ x: UnsafePointer<Float>, addingTo sums: UnsafeMutablePointer<Float>, pixels: Int,
    channels: Int
  ) {
    forEachRun(pixels, channels) { run, c, width in
      var sum = Vector.zero
      for pixel in run { sum += Vector(at: x + pixel * channels + c, width) }
      (Vector(at: sums + c, width) + sum).store(at: sums + c, width)
    }
  }

  public static func sumSquares(
    _ x: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    addingTo sums: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    forEachRun(pixels, channels) { run, c, width in
      let mean = Vector(at: mean + c, width)
      var sum = Vector.zero
      for pixel in run {
        let difference = Vector(at: x + pixel * channels + c, width) - mean
        sum.add(difference, times: difference)
      }
      (Vector(at: sums + c, width) + sum).store(at: sums + c, width)
    }
  }

  public static func sumGradients(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, x: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, addingTo sums: UnsafeMutablePointer<Float>,
    products: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    forEachRun(pixels, channels) { run, c, width in
      let mean = Vector(at: mean + c, width)
      var (sum, product) = (Vector.zero, Vector.zero)
      for pixel in run {
        let place = pixel * channels + c
        let gradient = gradient(dy, y, place, width)
        sum += gradient
        product.add(gradient, times: Vector(at: x + place, width) - mean)
      }
      (Vector(at: sums + c, width) + sum).store(at: sums + c, width)
      (Vector(at: products + c, width) + product).store(at: products + c, width)
    }
  }

  public static func scaleChannels(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    relu: Bool, into y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    forEachRun(pixels, channels) { run, c, width in
      let (scale, shift) = (Vector(at: scale + c, width), Vector(at: shift + c, width))
      for pixel in run {
        let place = pixel * channels + c
        var result = shift
        result.add(Vector(at: x + place, width), times: scale)
        if relu { result = result.rectified }
        result.store(at: y + place, width)
      }
    }
  }

  public static func normalizationGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, x: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, scale: UnsafePointer<Float>, offset: UnsafePointer<Float>,
    slope: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    forEachRun(pixels, channels) { run, c, width in
      let (mean, scale) = (Vector(at: mean + c, width), Vector(at: scale + c, width))
      let (offset, slope) = (Vector(at: offset + c, width), Vector(at: slope + c, width))
      for pixel in run {
        let place = pixel * channels + c
        let difference = Vector(at: x + place, width) - mean
        let gradient = gradient(dy, y, place, width) - offset - slope * difference
        (scale * gradient).store(at: dx + place, width)
      }
    }
  }

  /// dy, or 0 where the rectifier after the normalisation let nothing through.
  @inline(__always)
  private static func gradient(
    _ dy: UnsafePointer<Float>, _ y: UnsafePointer<Float>?, _ place: Int, _ width: Int
  ) -> Vector {
    let gradient = Vector(at: dy + place, width)
    guard let y else { return gradient }
    return Vector.zero.replacing(
      with: gradient, where: Vector(at: y + place, width) .> Vector.zero)
  }
}
