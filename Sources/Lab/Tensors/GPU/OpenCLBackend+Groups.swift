import OpenCLKernels

/// How the threads of a group share some rows or channels: `width` of them, a power of two, are
/// side by side, and `rows` of these lie behind each other.
struct GroupShape {
  let width, rows: Int

  var threads: Int { width * rows }

  /// - Parameters:
  ///   - count: What is side by side: the elements of a row, or the channels of a pixel.
  ///   - most: The largest width.
  ///   - threads: The threads of a group, a power of two.
  init(_ count: Int, most: Int = 256, threads: Int) {
    var width = 1
    while width < min(count, most, threads) { width *= 2 }
    self.width = min(width, threads)
    rows = threads / self.width
  }

  /// The groups that `count` rows need.
  func groups(forRows count: Int) -> Int { (count + rows - 1) / rows }
  /// The groups that `count` channels need.
  func groups(forColumns count: Int) -> Int { (count + width - 1) / width }
}

extension OpenCLBackend {
  /// The threads of a group that adds up: a power of two.
  var groupThreads: Int {
    var threads = 256
    while threads > max(1, queue.device.largestGroup) { threads /= 2 }
    return threads
  }

  /// Runs a kernel of which some threads of a group work on a row. The kernel's last arguments are
  /// the numbers of rows, of columns and of these threads.
  func runRows(
    _ name: String, in source: KernelSource, rows: Int, columns: Int,
    _ arguments: any KernelArgument...
  ) {
    let shape = GroupShape(columns, threads: groupThreads)
    queue.run(
      name, in: source, groups: (shape.groups(forRows: rows), 1, 1), threads: (shape.threads, 1, 1),
      arguments + [Int32(rows), Int32(columns), Int32(shape.width)])
  }
}
