import OpenCLKernels

// Copies of arrays of any shape.

extension OpenCLBackend {
  package func strided(_ x: Tensor, shape: [Int], strides: [Int], offset: Int) -> Tensor {
    let y = uninitialized(shape)
    copy(
      rows(x), strides: strides, offset: offset, into: rows(y),
      strides: StridedExtents.rowMajor(shape), offset: 0, shape: shape)
    return y
  }

  package func assemble(_ parts: [StridedPart], shape: [Int]) -> Tensor {
    let y = uninitialized(shape)
    let target = rows(y)
    if parts.reduce(0, { $0 + $1.tensor.count }) < y.count {
      fill(target, with: 0, count: y.count)
    }
    for part in parts {
      copy(
        rows(part.tensor), strides: StridedExtents.rowMajor(part.tensor.shape), offset: 0,
        into: target, strides: part.strides, offset: part.offset, shape: part.tensor.shape)
    }
    return y
  }

  /// Copies an array of any strides to one of any strides.
  private func copy(
    _ x: DeviceBuffer, strides xStrides: [Int], offset xOffset: Int, into y: DeviceBuffer,
    strides yStrides: [Int], offset yOffset: Int, shape: [Int]
  ) {
    let extents = StridedExtents(shape: shape, [yStrides, xStrides])
    let last = extents.shape.count - 1
    guard extents.count > 0 else { return }
    // Rows of y that are columns of x: as planes, if they are not too thin.
    if extents.steps[0][last] == 1, extents.steps[1][last] > 1, extents.shape[last] >= 8,
      let column = extents.steps[1].lastIndex(of: 1), extents.shape[column] >= 8,
      queue.device.largestGroup >= 256
    {
      let planes = extents.without(last).without(column)
      let (height, width) = (extents.shape[last], extents.shape[column])
      if planes.shape.count <= 8, planes.count <= 65535, (height + 15) / 16 <= 65535 {
        queue.run(
          "copy_transposed", in: arrays,
          groups: ((width + 15) / 16, (height + 15) / 16, planes.count), threads: (16, 16, 1),
          [
            x, y, Int32(height), Int32(width), Int32(extents.steps[1][last]),
            Int32(extents.steps[0][column]),
          ] + planes.arguments([0, 1]) + [KernelVector<SIMD8<Int32>>([yOffset, xOffset])])
        return
      }
    }
    run(
      "copy_strided", in: arrays, over: extents, [0, 1], offsets: [yOffset, xOffset], [x, y])
  }

  // MARK: Rows of a table

  package func gatherRows(_ table: Tensor, _ indices: [Int], shape: [Int]) -> Tensor {
    let y = uninitialized(shape)
    guard y.count > 0 else { return y }
    queue.run(
      "gather_rows", in: arrays, count: y.count, rows(table), integers(indices), rows(y),
      Int32(table.shape[1]))
    return y
  }

  package func scatterRows(dy: Tensor, _ indices: [Int], shape: [Int]) -> Tensor {
    let dTable = uninitialized(shape)
    guard dTable.count > 0 else { return dTable }
    // The rows of dy by the row of the table, in their order.
    var starts = [Int](repeating: 0, count: shape[0] + 1)
    for index in indices { starts[index + 1] += 1 }
    for row in 0..<shape[0] { starts[row + 1] += starts[row] }
    var next = starts
    var sources = [Int](repeating: 0, count: indices.count)
    for (source, index) in indices.enumerated() {
      sources[next[index]] = source
      next[index] += 1
    }
    queue.run(
      "scatter_rows", in: arrays, count: dTable.count, rows(dy), integers(starts),
      integers(sources), rows(dTable), Int32(shape[1]))
    return dTable
  }
}
