import Kernels
import OpenCLKernels

private let reductions = KernelSource(.reductions)
let arrays = KernelSource(.positions, .arrays)

/// An array of `outer` × `reduced` × `inner` elements, reduced along its second dimension.
private struct Planes {
  let outer, reduced, inner: Int

  var results: Int { outer * inner }

  /// How the work is divided among groups of threads; see `reductions.cl`.
  struct Division {
    /// The threads of a group, and those of them that work at one result.
    let group, threads: Int
    /// The elements of each part of a result, and the number of these parts.
    let rows, parts: Int
  }

  /// - Parameter largest: The most threads that a group can have.
  func division(largestGroup largest: Int) -> Division {
    let group = powerOfTwo(below: min(256, largest))
    // Enough threads for the largest GPU, and at least 32 neighbours in memory for a group.
    let wanted = 1 << 17
    let width = inner == 1 ? 1 : min(32, group, powerOfTwo(below: 2 * inner - 1))
    let share = max(reduced / 16, min(reduced / 4, wanted / max(1, results)))
    let threads = powerOfTwo(
      below: max(1, min(group / width, inner == 1 ? share : min(share, wanted / max(1, results)))))
    let all = results * threads
    guard all < wanted / 2, reduced > 32 * threads else {
      return Division(group: group, threads: threads, rows: max(1, reduced), parts: 1)
    }
    let parts = max(1, min(reduced / (16 * threads), wanted / max(1, all), 1024))
    let rows = ((reduced + parts - 1) / parts + threads - 1) / threads * threads
    return Division(
      group: group, threads: threads, rows: rows, parts: (reduced + rows - 1) / rows)
  }
}

/// The largest power of two that is not larger than a positive number.
private func powerOfTwo(below number: Int) -> Int {
  1 << (Int.bitWidth - 1 - number.leadingZeroBitCount)
}

/// The places of the largest elements, for the gradient.
private final class SavedPlaces {
  let buffer: DeviceBuffer

  init(_ buffer: DeviceBuffer) { self.buffer = buffer }
}

extension OpenCLBackend {
  /// The extents without some dimensions.
  private func remaining(_ shape: [Int], _ axes: [Int]) -> [Int] {
    shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
  }

  // MARK: Sums

  /// The sum over some dimensions of an array in row-major order.
  func sum(
    _ x: DeviceBuffer, shape: [Int], axes: [Int], divisor: Double = 1, into y: DeviceBuffer
  ) {
    // Neighbouring dimensions that are all reduced, or all kept, are one.
    var runs: [(extent: Int, isReduced: Bool)] = []
    for (dimension, extent) in shape.enumerated() where extent != 1 {
      let isReduced = axes.contains(dimension)
      if let last = runs.last, last.isReduced == isReduced {
        runs[runs.count - 1].extent *= extent
      } else {
        runs.append((extent, isReduced))
      }
    }
    var source = x
    // Several runs are reduced one after another, the last one first.
    while let run = runs.lastIndex(where: \.isReduced),
      runs[..<run].contains(where: \.isReduced)
    {
      let planes = planes(runs, run)
      let sums = scratch(planes.results)
      sum(source, planes, divisor: 1, into: sums)
      source = sums
      runs.remove(at: run)
    }
    if let run = runs.lastIndex(where: \.isReduced) {
      sum(source, planes(runs, run), divisor: divisor, into: y)
    } else {
      let count = runs.reduce(1) { $0 * $1.extent }
      sum(source, Planes(outer: 1, reduced: 1, inner: count), divisor: divisor, into: y)
    }
  }

  private func planes(_ runs: [(extent: Int, isReduced: Bool)], _ run: Int) -> Planes {
    Planes(
      outer: runs[..<run].reduce(1) { $0 * $1.extent }, reduced: runs[run].extent,
      inner: runs[(run + 1)...].reduce(1) { $0 * $1.extent })
  }

  private func sum(
    _ x: DeviceBuffer, _ planes: Planes, divisor: Double, into y: DeviceBuffer
  ) {
    guard planes.results > 0 else { return }
    let division = planes.division(largestGroup: queue.device.largestGroup)
    let isWhole = division.parts == 1
    let sums = isWhole ? y : scratch(planes.results * division.parts)
    let width = division.group / division.threads
    queue.run(
      "sums", in: reductions,
      groups: ((planes.results + width - 1) / width, division.parts, 1),
      threads: (division.group, 1, 1),
      [
        x, sums, Int32(planes.reduced), Int32(planes.inner), Int32(planes.results),
        Int32(division.threads), Int32(division.rows), Float(isWhole ? divisor : 1),
      ])
    guard !isWhole else { return }
    let parts = Planes(outer: planes.outer, reduced: division.parts, inner: planes.inner)
    sum(sums, parts, divisor: divisor, into: y)
  }

  package func sum(_ x: Tensor, axes: [Int], divisor: Double) -> Tensor {
    let y = uninitialized(remaining(x.shape, axes))
    sum(rows(x), shape: x.shape, axes: axes, divisor: divisor, into: rows(y))
    return y
  }

  /// The strides of the results of a reduction along the dimensions of the array, 0 along reduced ones;
  /// or those of the places among the reduced elements, 0 along the others.
  private func strides(_ shape: [Int], along isIncluded: (Int) -> Bool) -> [Int] {
    var (strides, step) = ([Int](repeating: 0, count: shape.count), 1)
    for dimension in shape.indices.reversed() where isIncluded(dimension) {
      strides[dimension] = step
      step *= shape[dimension]
    }
    return strides
  }

  package func sumGradient(
    dy: Tensor, shape: [Int], axes: [Int], divisor: Double
  ) -> Tensor {
    let dx = uninitialized(shape)
    let extents = StridedExtents(
      shape: shape,
      [StridedExtents.rowMajor(shape), strides(shape) { !axes.contains($0) }])
    run(
      "spread", in: arrays, over: extents, [1], offsets: [0, 0],
      [rows(dy), rows(dx), Float(divisor)])
    return dx
  }

  // MARK: Maxima

  package func maxima(_ x: Tensor, axes: [Int]) -> (y: Tensor, saved: AnyObject?) {
    let y = uninitialized(remaining(x.shape, axes))
    let places = scratch(y.count)
    let (kept, reduced) = (x.shape.indices.filter { !axes.contains($0) }, axes.sorted())
    let reducedCount = reduced.reduce(1) { $0 * x.shape[$1] }
    let present = reduced.filter { x.shape[$0] != 1 }
    if let first = present.first, let last = present.last,
      (first...last).allSatisfy({ present.contains($0) || x.shape[$0] == 1 })
    {
      maxima(
        rows(x), nil,
        Planes(
          outer: x.shape[..<first].reduce(1, *), reduced: reducedCount,
          inner: x.shape[(last + 1)...].reduce(1, *)), into: rows(y), places)
    } else {
      // The reduced dimensions are gathered behind the others.
      let order = kept + reduced
      let strides = StridedExtents.rowMajor(x.shape)
      let gathered = strided(
        x, shape: order.map { x.shape[$0] }, strides: order.map { strides[$0] }, offset: 0)
      maxima(
        rows(gathered), nil, Planes(outer: y.count, reduced: reducedCount, inner: 1),
        into: rows(y), places)
    }
    return (y, SavedPlaces(places))
  }

  private func maxima(
    _ x: DeviceBuffer, _ places: DeviceBuffer?, _ planes: Planes, into y: DeviceBuffer,
    _ indices: DeviceBuffer
  ) {
    guard planes.results > 0 else { return }
    let division = planes.division(largestGroup: queue.device.largestGroup)
    let isWhole = division.parts == 1
    let count = planes.results * division.parts
    let (values, valuePlaces) = isWhole ? (y, indices) : (scratch(count), scratch(count))
    let width = division.group / division.threads
    queue.run(
      "maxima", in: reductions,
      groups: ((planes.results + width - 1) / width, division.parts, 1),
      threads: (division.group, 1, 1),
      [
        x, places ?? x, Int32(places == nil ? 0 : 1), values, valuePlaces, Int32(planes.reduced),
        Int32(planes.inner), Int32(planes.results), Int32(division.threads),
        Int32(division.rows),
      ])
    guard !isWhole else { return }
    let parts = Planes(outer: planes.outer, reduced: division.parts, inner: planes.inner)
    maxima(values, valuePlaces, parts, into: y, indices)
  }

  package func maximaGradient(
    dy: Tensor, shape: [Int], axes: [Int], saved: AnyObject?
  ) -> Tensor {
    guard let saved = saved as? SavedPlaces else {
      preconditionFailure("maximaGradient expects what maxima saved")
    }
    let dx = uninitialized(shape)
    let extents = StridedExtents(
      shape: shape,
      [
        StridedExtents.rowMajor(shape), strides(shape) { !axes.contains($0) },
        strides(shape) { axes.contains($0) },
      ])
    run(
      "maxima_gradient", in: arrays, over: extents, [1, 2], offsets: [0, 0, 0],
      [rows(dy), saved.buffer, rows(dx)])
    return dx
  }

  /// The index of the largest element of each row along the last dimension, on the device.
  private func largest(_ x: Tensor) -> (indices: DeviceBuffer, rows: Int) {
    let columns = x.shape.last ?? 1
    let count = x.shape.dropLast().reduce(1, *)
    guard columns > 0 else { return (integers([Int](repeating: 0, count: count)), count) }
    let indices = scratch(count)
    maxima(
      rows(x), nil, Planes(outer: count, reduced: columns, inner: 1), into: scratch(count), indices)
    return (indices, count)
  }

  package func argmax(_ x: Tensor) -> [Int] {
    let (indices, count) = largest(x)
    return queue.read(indices, count: count, of: Int32.self)?.map(Int.init)
      ?? [Int](repeating: 0, count: count)
  }

  package func countCorrect(_ logits: Tensor, labels: [Int]) -> Tensor {
    if let correct = logits.gpu.correct(of: self.labels(labels)) {
      return Tensor(shape: [], correct, on: self)
    }
    let (indices, count) = largest(logits)
    let y = uninitialized([])
    let group = powerOfTwo(below: min(256, queue.device.largestGroup))
    queue.run(
      "count_equal", in: reductions, groups: (1, 1, 1), threads: (group, 1, 1),
      [indices, self.labels(labels), rows(y), Int32(min(count, labels.count))])
    return y
  }
}
