import Kernels
import OpenCLKernels

extension OpenCLBackend {
  /// The numbers of the largest pixels in their windows.
  private final class PoolingCodes {
    let buffer: DeviceBuffer
    init(_ buffer: DeviceBuffer) { self.buffer = buffer }
  }

  private func maxPooling(size: Int) -> KernelSource {
    KernelSource(.groupSums, .pooling, macros: [size <= 16 ? "CODE=uchar" : "CODE=int"])
  }

  private var pooling: KernelSource { .pooling }

  private func extents(
    _ shape: [Int], _ size: Int, _ stride: Int
  ) -> (e: PoolingExtents, arguments: [any KernelArgument]) {
    let e = PoolingExtents(
      planes: shape[0] * shape[1], h: shape[2], w: shape[3], size: size, stride: stride)
    let numbers = [e.h, e.w, shape[1], e.outputH, e.outputW, size, stride]
    return (e, numbers.map { Int32($0) })
  }

  package func maxPool(
    _ x: Tensor, size: Int, stride: Int, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let (e, numbers) = extents(x.shape, size, stride)
    let y = uninitializedImages([x.shape[0], x.shape[1], e.outputH, e.outputW])
    let codes = queue.buffer(bytes: size <= 16 ? y.count : 4 * y.count)
    runElements(
      "max_pool", in: maxPooling(size: size), count: y.count,
      [pixels(x), pixels(y), codes] + numbers)
    return (y, PoolingCodes(codes))
  }

  package func maxPoolGradient(
    dy: Tensor, shape: [Int], size: Int, stride: Int, saved: AnyObject?
  ) -> Tensor {
    guard let codes = saved as? PoolingCodes else {
      preconditionFailure("maxPoolGradient expects what maxPool saved")
    }
    let dx = uninitializedImages(shape)
    runElements(
      "max_pool_gradient", in: maxPooling(size: size), count: dx.count,
      [pixels(dy), codes.buffer, pixels(dx)] + extents(shape, size, stride).arguments)
    return dx
  }

  /// Runs a kernel with a thread for each element; see ``DeviceQueue``.
  private func runElements(
    _ name: String, in source: KernelSource, count: Int, _ arguments: [any KernelArgument]
  ) {
    let threads = groupThreads
    queue.run(
      name, in: source, groups: ((count + threads - 1) / threads, 1, 1), threads: (threads, 1, 1),
      arguments + [Int32(count)])
  }

  package func globalAveragePool(_ x: Tensor) -> Tensor {
    let (n, channels) = (x.shape[0], x.shape[1])
    let y = uninitialized([n, channels])
    let shape = GroupShape(channels, most: 32, threads: groupThreads)
    queue.run(
      "mean_of_pixels", in: pooling, groups: (n, shape.groups(forColumns: channels), 1),
      threads: (shape.threads, 1, 1),
      [
        pixels(x), rows(y), Int32(x.shape[2] * x.shape[3]), Int32(channels), Int32(shape.width),
      ])
    return y
  }

  package func globalAveragePoolGradient(dy: Tensor, shape: [Int]) -> Tensor {
    let dx = uninitializedImages(shape)
    queue.run(
      "mean_of_pixels_gradient", in: pooling, count: dx.count, rows(dy), pixels(dx),
      Int32(shape[2] * shape[3]), Int32(shape[1]))
    return dx
  }

  /// The first row of each row of windows, the row behind its last one, and the same of the
  /// columns.
  private func windows(_ e: AveragePoolingExtents) -> DeviceBuffer {
    integers(
      [e.rows, e.columns].flatMap { ranges in
        ranges.map(\.lowerBound) + ranges.map(\.upperBound)
      })
  }

  /// The same the other way round: which windows cover each row of pixels, and each column.
  private func covers(_ e: AveragePoolingExtents) -> DeviceBuffer {
    func covers(_ windows: [Range<Int>], _ extent: Int) -> [Int] {
      // Windows begin, and end, one after the other, so those that cover a pixel do so too.
      let ranges = (0..<extent).map { pixel in
        let first = windows.firstIndex { $0.contains(pixel) } ?? 0
        return first..<first + windows.count { $0.contains(pixel) }
      }
      return ranges.map(\.lowerBound) + ranges.map(\.upperBound)
    }
    return integers(covers(e.rows, e.h) + covers(e.columns, e.w))
  }

  private func numbers(_ e: AveragePoolingExtents, channels: Int) -> [any KernelArgument] {
    [e.h, e.w, channels, e.rows.count, e.columns.count, e.divisor ?? 0].map { Int32($0) }
  }

  package func averagePool(_ x: Tensor, _ extents: AveragePoolingExtents) -> Tensor {
    let y = uninitializedImages([
      x.shape[0], x.shape[1], extents.rows.count, extents.columns.count,
    ])
    runElements(
      "average_pool", in: pooling, count: y.count,
      [pixels(x), pixels(y), windows(extents)] + numbers(extents, channels: x.shape[1]))
    return y
  }

  package func averagePoolGradient(
    dy: Tensor, shape: [Int], _ extents: AveragePoolingExtents
  ) -> Tensor {
    let dx = uninitializedImages(shape)
    runElements(
      "average_pool_gradient", in: pooling, count: dx.count,
      [pixels(dy), pixels(dx), windows(extents), covers(extents)]
        + numbers(extents, channels: shape[1]))
    return dx
  }
}
