import Kernels
import Testing

@Suite(.serialized)
struct PoolingTests {
  /// Images, channels, height, width, size, stride.
  static let cases = [
    (1, 1, 2, 2, 2, 2), (2, 3, 5, 7, 2, 2), (3, 16, 6, 6, 3, 2), (17, 20, 4, 9, 2, 1),
    (2, 64, 11, 8, 3, 3), (1, 33, 7, 7, 7, 7), (2, 5, 6, 5, 1, 2),
  ]

  @Test(arguments: KernelSet.supported, cases)
  func channelsLastAgreesWithPlanes(
    _ set: KernelSet, extents: (n: Int, c: Int, h: Int, w: Int, size: Int, stride: Int)
  ) {
    let (n, c, h, w, size, stride) = extents
    let planes = PoolingExtents(planes: n * c, h: h, w: w, size: size, stride: stride)
    let images = PoolingExtents(planes: n, h: h, w: w, size: size, stride: stride)
    let outputs = planes.outputH * planes.outputW
    // Few different values, so that many are equal.
    let x = numbers(n * c * h * w).map { ($0 * 3).rounded() }
    let dy = numbers(n * c * outputs, seed: 2)
    var (y, dx) = (dy, x)
    var indices = [Int32](repeating: 0, count: dy.count)
    maxPooling(x: x, y: &y, indices: &indices, planes)
    maxPoolingGradient(dy: dy, indices: indices, dx: &dx, planes)

    let results = withThreadCounts(set) {
      var (lastY, lastDx) = (dy, x)
      var codes = [UInt8](repeating: 0, count: dy.count)
      maxPoolingChannelsLast(
        x: channelsLast(x, n: n, c: c, pixels: h * w), y: &lastY, codes: &codes, channels: c,
        images)
      maxPoolingGradientChannelsLast(
        dy: channelsLast(dy, n: n, c: c, pixels: outputs), codes: codes, dx: &lastDx,
        channels: c, images)
      return [lastY, lastDx]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    #expect(channelsFirst(results[0][0], n: n, c: c, pixels: outputs) == y)
    #expect(relativeError(channelsFirst(results[0][1], n: n, c: c, pixels: h * w), dx) < 1e-6)
  }

  @Test(
    arguments: KernelSet.supported, [(1, 1, 1), (2, 3, 5), (17, 9, 20), (40, 784, 33), (3, 1, 64)])
  func meansFollowTheirDefinition(_ set: KernelSet, extents: (n: Int, pixels: Int, c: Int)) {
    let (n, pixels, c) = extents
    let (x, dy) = (numbers(n * pixels * c), numbers(n * c, seed: 2))
    let results = withThreadCounts(set) {
      var (y, dx) = (dy, x)
      meanOfPixels(x, into: &y, n: n, pixels: pixels, channels: c)
      meanOfPixelsGradient(dy: dy, dx: &dx, n: n, pixels: pixels, channels: c)
      return [y, dx]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    let means = (0..<n * c).map { place in
      let (image, channel) = place.quotientAndRemainder(dividingBy: c)
      let sum = (0..<pixels).reduce(0.0) { $0 + Double(x[(image * pixels + $1) * c + channel]) }
      return Float(sum / Double(pixels))
    }
    #expect(relativeError(results[0][0], means) < 1e-5)
    #expect(
      results[0][1] == x.indices.map { dy[$0 / (pixels * c) * c + $0 % c] / Float(pixels) })
  }

  static let averages = [
    AveragePoolingExtents(n: 1, h: 1, w: 1, channels: 1, size: (1, 1), stride: (1, 1)),
    AveragePoolingExtents(
      n: 3, h: 7, w: 9, channels: 5, size: (3, 2), stride: (2, 3), padding: (1, 1)),
    AveragePoolingExtents(n: 40, h: 12, w: 11, channels: 33, size: (4, 4), stride: (4, 4)),
    AveragePoolingExtents(n: 2, h: 5, w: 7, channels: 3, outputH: 3, outputW: 4),
    AveragePoolingExtents(n: 6, h: 3, w: 2, channels: 1, outputH: 5, outputW: 2),
    AveragePoolingExtents(n: 3, h: 28, w: 28, channels: 64, outputH: 7, outputW: 7),
  ]

  @Test(arguments: KernelSet.supported, averages.indices)
  func averagesFollowTheirDefinition(_ set: KernelSet, _ index: Int) {
    let e = Self.averages[index]
    let (pixels, outputs) = (e.h * e.w, e.rows.count * e.columns.count)
    let x = numbers(e.n * pixels * e.channels)
    let dy = numbers(e.n * outputs * e.channels, seed: 2)
    let results = withThreadCounts(set) {
      var (y, dx) = (dy, x)
      averagePooling(x: x, y: &y, e)
      averagePoolingGradient(dy: dy, dx: &dx, e)
      return [y, dx]
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
    var (y, dx) = (dy.map { _ in 0.0 }, x.map { _ in 0.0 })
    for n in 0..<e.n {
      for (i, rows) in e.rows.enumerated() {
        for (j, columns) in e.columns.enumerated() {
          let divisor = Double(e.divisor ?? rows.count * columns.count)
          for c in 0..<e.channels {
            let output = (n * outputs + i * e.columns.count + j) * e.channels + c
            for row in rows {
              for column in columns {
                let pixel = (n * pixels + row * e.w + column) * e.channels + c
                y[output] += Double(x[pixel]) / divisor
                dx[pixel] += Double(dy[output]) / divisor
              }
            }
          }
        }
      }
    }
    #expect(relativeError(results[0][0], y.map { Float($0) }) < 1e-6)
    #expect(relativeError(results[0][1], dx.map { Float($0) }) < 1e-6)
  }

  @Test func theWindowsAreThoseOfPyTorch() {
    let padded = AveragePoolingExtents(
      n: 1, h: 5, w: 6, channels: 1, size: (3, 2), stride: (2, 2), padding: (1, 0))
    #expect(padded.rows == [0..<2, 1..<4, 3..<5] && padded.columns == [0..<2, 2..<4, 4..<6])
    #expect(padded.divisor == 6)
    let adaptive = AveragePoolingExtents(n: 1, h: 5, w: 2, channels: 1, outputH: 3, outputW: 4)
    #expect(adaptive.rows == [0..<2, 1..<4, 3..<5])
    #expect(adaptive.columns == [0..<1, 0..<1, 1..<2, 1..<2] && adaptive.divisor == nil)
  }
}
