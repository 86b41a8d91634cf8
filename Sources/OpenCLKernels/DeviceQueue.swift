import COpenCL
import Foundation
import Synchronization

/// The queue of a device's commands: memory, kernels and copies, in the order in which they were
/// given. Nothing waits for the device but ``read(_:count:)`` and ``finish()``.
///
/// Commands do not throw. After the first one that fails all others are left out, and ``failure`` says
/// why: whoever trains looks there from time to time.
package final class DeviceQueue: @unchecked Sendable {
  // Sendable because everything that changes is used with the lock held.

  package let device: OpenCLDevice
  private let library: OpenCLLibrary
  private let context: cl_context
  private let queue: cl_command_queue
  private let pool: BufferPool
  private let cache: BinaryCache
  private let lock = Mutex(())
  private var kernels: [KernelKey: cl_kernel] = [:]
  private var programs: [KernelSource: cl_program] = [:]
  private var staging: Staging
  private var firstFailure: GPUError?
  /// Sums that nothing has used yet.
  private var pending: [PartSum] = []
  private let profile: KernelProfile?

  private struct KernelKey: Hashable {
    let source: KernelSource
    let name: String
  }

  /// - Parameters:
  ///   - device: The device.
  ///   - cacheFolder: The folder for compiled programs; nil for the user's.
  /// - Throws: ``GPUError`` if the device cannot be used.
  package init(_ device: OpenCLDevice, cacheFolder: URL? = nil) throws(GPUError) {
    cache = BinaryCache(folder: cacheFolder)
    let library = try OpenCLLibrary.shared.get()
    var status: cl_int = 0
    var id: cl_device_id? = device.id
    let profile = KernelProfile(library)
    let properties = profile == nil ? 0 : CL_QUEUE_PROFILING_ENABLE
    guard let context = library.createContext(nil, 1, &id, nil, nil, &status),
      status == CL_SUCCESS,
      let queue = library.createQueue(
        context, device.id, cl_command_queue_properties(properties), &status),
      status == CL_SUCCESS
    else {
      throw GPUError(
        "\(device.name) cannot be used: the driver answers \(errorName(status)); is another program "
          + "using all of its memory?")
    }
    (self.device, self.library, self.context, self.queue) = (device, library, context, queue)
    pool = BufferPool(library, context, largest: device.largestBuffer)
    staging = Staging(size: 32 << 20, library, context, queue)
    self.profile = profile
  }

  // MARK: Failures

  /// Why the device can no longer be used; nil as long as it can.
  package var failure: GPUError? { lock.withLock { _ in firstFailure } }

  /// Records a failure, unless there was one before.
  package func fail(_ error: GPUError) {
    lock.withLock { _ in record(error) }
  }

  private func record(_ error: GPUError) {
    if firstFailure == nil { firstFailure = error }
  }

  private func check(_ status: cl_int, _ what: String) {
    guard status != CL_SUCCESS else { return }
    let isMemory = [CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY]
      .contains(status)
    record(
      GPUError(
        isMemory
          ? "\(device.name): \(what) failed with \(errorName(status)): memory is short or the device "
            + "was lost; a smaller --batch_size needs less memory"
          : "\(device.name): \(what) failed with \(errorName(status)); the run can be resumed, also "
            + "with --gpus=0"))
  }

  // MARK: Memory

  /// The bytes of all buffers in use.
  package var usedBytes: Int { pool.usedBytes }

  /// Memory of the given size in bytes, its contents undefined.
  package func buffer(bytes: Int) -> DeviceBuffer {
    let size = max(bytes, 4)
    let memory = failure == nil ? pool.take(size) : nil
    if memory == nil {
      let (needed, all) = (size >> 20, device.memory >> 20)
      let used = usedBytes >> 20
      fail(
        GPUError(
          "\(device.name): no room for \(needed) MiB more: \(used) of \(all) MiB are in use, and one "
            + "piece has at most \(device.largestBuffer >> 20) MiB; a smaller --batch_size needs less"
        ))
    }
    return DeviceBuffer(memory, size: size, pool: pool)
  }

  /// Copies bytes to the device. They may be changed at once.
  package func write(_ bytes: UnsafeRawBufferPointer, to buffer: DeviceBuffer) {
    guard bytes.count > 0, let source = bytes.baseAddress else { return }
    lock.withLock { _ in
      if buffer.isPending { computePending() }
      guard firstFailure == nil, let memory = buffer.memory else { return }
      guard bytes.count <= staging.size / 4 else {
        check(
          library.enqueueWrite(
            queue, memory, cl_bool(CL_TRUE), 0, bytes.count, source, 0, nil, nil),
          "a copy to the device")
        return
      }
      // The copy in the staging area stays until the area has been filled once.
      if staging.isFull(for: bytes.count) {
        check(library.finish(queue), "computing")
        staging.clear()
      }
      check(
        library.enqueueWrite(
          queue, memory, cl_bool(CL_FALSE), 0, bytes.count, staging.copy(source, bytes.count), 0,
          nil, nil), "a copy to the device")
    }
  }

  /// Copies one buffer to another one of the same size.
  package func copy(_ source: DeviceBuffer, to target: DeviceBuffer, bytes: Int) {
    guard bytes > 0 else { return }
    lock.withLock { _ in
      if source.isPending || target.isPending { computePending() }
      guard firstFailure == nil, let from = source.memory, let to = target.memory else { return }
      check(
        library.enqueueCopy(queue, from, to, 0, 0, bytes, 0, nil, nil), "a copy on the device")
    }
  }

  /// The first floats in a buffer, as soon as all commands before have been done. NaN after a failure.
  package func read(_ buffer: DeviceBuffer, count: Int) -> [Float] {
    read(buffer, count: count, of: Float.self) ?? Array(repeating: .nan, count: count)
  }

  /// The first elements in a buffer; nil after a failure.
  package func read<Element: BitwiseCopyable>(
    _ buffer: DeviceBuffer, count: Int, of type: Element.Type
  ) -> [Element]? {
    guard count > 0 else { return [] }
    return lock.withLock { _ in
      if buffer.isPending { computePending() }
      guard firstFailure == nil, let memory = buffer.memory else { return nil }
      let bytes = count * MemoryLayout<Element>.stride
      let elements = [Element](unsafeUninitializedCapacity: count) { target, initialized in
        check(
          library.enqueueRead(
            queue, memory, cl_bool(CL_TRUE), 0, bytes, target.baseAddress, 0, nil, nil),
          "computing")
        initialized = firstFailure == nil ? count : 0
      }
      profile?.collect()
      return firstFailure == nil ? elements : nil
    }
  }

  /// Waits until all commands have been done.
  package func finish() {
    lock.withLock { _ in
      computePending()
      guard firstFailure == nil else { return }
      check(library.finish(queue), "computing")
      profile?.collect()
    }
  }

  // MARK: Kernels

  /// Runs a kernel.
  ///
  /// - Parameters:
  ///   - name: The kernel's name.
  ///   - source: What it is in.
  ///   - groups: Groups of threads along each dimension; with none nothing is run.
  ///   - threads: Threads of a group along each dimension.
  ///   - arguments: The kernel's arguments.
  package func run(
    _ name: String, in source: KernelSource, groups: (Int, Int, Int), threads: (Int, Int, Int),
    _ arguments: [any KernelArgument]
  ) {
    guard groups.0 > 0, groups.1 > 0, groups.2 > 0 else { return }
    lock.withLock { _ in
      if !pending.isEmpty, arguments.contains(where: \.isPending) { computePending() }
      launch(name, in: source, groups: groups, threads: threads, arguments)
    }
  }

  /// Runs a kernel, with the lock held.
  private func launch(
    _ name: String, in source: KernelSource, groups: (Int, Int, Int), threads: (Int, Int, Int),
    _ arguments: [any KernelArgument]
  ) {
    guard firstFailure == nil, let kernel = kernel(name, in: source) else { return }
    for (index, argument) in arguments.enumerated() {
      let status = argument.set(kernel, cl_uint(index), library)
      guard status == CL_SUCCESS else {
        return record(
          GPUError(
            "\(device.name): argument \(index) of \(name) is not accepted: \(errorName(status))"))
      }
    }
    let global = [groups.0 * threads.0, groups.1 * threads.1, groups.2 * threads.2]
    let local = [threads.0, threads.1, threads.2]
    guard let profile else {
      return check(
        library.enqueueKernel(queue, kernel, 3, nil, global, local, 0, nil, nil),
        "kernel \(name)")
    }
    var event: cl_event?
    check(
      library.enqueueKernel(queue, kernel, 3, nil, global, local, 0, nil, &event),
      "kernel \(name)")
    profile.add(name, event)
    if profile.isFull {
      check(library.finish(queue), "computing")
      profile.collect()
    }
  }

  // MARK: Sums of parts

  /// Adds up parts, at the latest before something uses the result: launching a kernel takes longer
  /// than most sums, so that several are computed in one launch.
  package func addLater(_ sum: PartSum) {
    guard sum.elements > 0 else { return }
    lock.withLock { _ in
      guard firstFailure == nil else { return }
      if sum.parts.isPending || sum.y.isPending || pending.count >= 64 { computePending() }
      pending.append(sum)
      sum.y.isPending = true
    }
  }

  /// The number of sums that have not been computed yet.
  package var pendingSums: Int { lock.withLock { _ in pending.count } }

  /// Computes the sums that are pending, with the lock held.
  private func computePending() {
    guard !pending.isEmpty else { return }
    let sums = pending
    pending = []
    for sum in sums { sum.y.isPending = false }
    // As many as the kernel has arguments for. Of missing ones it reads nothing.
    for start in stride(from: 0, to: sums.count, by: 8) {
      let some = sums[start..<min(start + 8, sums.count)]
      var (ends, buffers): ([Int], [any KernelArgument]) = ([], [])
      for sum in some {
        ends.append((ends.last ?? 0) + (sum.elements + 63) / 64)
        buffers += [sum.parts, sum.y]
      }
      while buffers.count < 16 { buffers += buffers.prefix(2) }
      let groups = ends[ends.count - 1]
      launch(
        "sum_parts", in: .sums, groups: (groups, 1, 1), threads: (256, 1, 1),
        buffers + [
          KernelVector<SIMD8<Int32>>(ends, filler: groups),
          KernelVector<SIMD8<Int32>>(some.map(\.elements)),
          KernelVector<SIMD8<Int32>>(some.map(\.count)),
        ])
    }
  }

  /// Runs a kernel with a thread for each of `count` elements; the kernel's last argument is `count`, as
  /// an `int`, and threads beyond it must do nothing.
  package func run(
    _ name: String, in source: KernelSource, count: Int, _ arguments: any KernelArgument...
  ) {
    guard count > 0 else { return }
    let threads = min(256, device.largestGroup)
    run(
      name, in: source, groups: ((count + threads - 1) / threads, 1, 1), threads: (threads, 1, 1),
      arguments + [Int32(clamping: count)])
  }

  /// Compiles a source unless that has been done; a failure is recorded.
  package func prepare(_ source: KernelSource) {
    lock.withLock { _ in
      if firstFailure == nil { _ = program(source) }
    }
  }

  /// Whether the kernels of this version have passed a test before, on this device with its driver.
  package func hasPassed(_ test: String) -> Bool { cache[record(of: test)] != nil }

  /// Remembers on this machine that the kernels have passed a test.
  package func notePassed(_ test: String) { cache[record(of: test)] = Data(test.utf8) }

  private func record(of test: String) -> String {
    let all = KernelSource(files: KernelSource.File.allCases, macros: [])
    return [test, device.platform, device.name, device.driver, device.version, all.text]
      .joined(separator: "\n")
  }

  private func kernel(_ name: String, in source: KernelSource) -> cl_kernel? {
    let key = KernelKey(source: source, name: name)
    if let kernel = kernels[key] { return kernel }
    guard let program = program(source) else { return nil }
    var status: cl_int = 0
    guard let kernel = library.createKernel(program, name, &status), status == CL_SUCCESS else {
      record(GPUError("\(device.name): no kernel \(name): \(errorName(status))"))
      return nil
    }
    kernels[key] = kernel
    return kernel
  }

  private func program(_ source: KernelSource) -> cl_program? {
    if let program = programs[source] { return program }
    let options =
      "-cl-std=CL1.2 -cl-mad-enable"
      + (device.roundsCorrectly ? " -cl-fp32-correctly-rounded-divide-sqrt" : "")
      + (device.computeCapability.map { " -D NVIDIA=\($0)" } ?? "") + " \(source.options)"
    let text = source.text
    let key = [device.platform, device.name, device.driver, device.version, options, text]
      .joined(separator: "\n")
    if let program = cache[key].flatMap({ build($0, options) }) {
      programs[source] = program
      return program
    }
    switch build(text, options) {
    case .failure(let error):
      record(error)
      return nil
    case .success(let program):
      programs[source] = program
      // PoCL, which has a cache of its own, would compile all of a program's kernels once more for this.
      if device.isGPU, let binary = binary(of: program) { cache[key] = binary }
      return program
    }
  }

  private func build(_ binary: Data, _ options: String) -> cl_program? {
    var id: cl_device_id? = device.id
    var size = binary.count
    var status: cl_int = 0
    return binary.withUnsafeBytes { bytes in
      var start = bytes.bindMemory(to: UInt8.self).baseAddress
      guard
        let program = library.createProgramFromBinary(
          context, 1, &id, &size, &start, nil, &status), status == CL_SUCCESS
      else { return nil }
      guard library.buildProgram(program, 1, &id, options, nil, nil) == CL_SUCCESS else {
        _ = library.releaseProgram(program)
        return nil
      }
      return program
    }
  }

  private func build(_ text: String, _ options: String) -> Result<cl_program, GPUError> {
    var id: cl_device_id? = device.id
    var status: cl_int = 0
    let program = text.withCString { start in
      var start: UnsafePointer<CChar>? = start
      return library.createProgram(context, 1, &start, nil, &status)
    }
    guard let program, status == CL_SUCCESS else {
      return .failure(GPUError("\(device.name): no program: \(errorName(status))"))
    }
    status = library.buildProgram(program, 1, &id, options, nil, nil)
    guard status == CL_SUCCESS else {
      let log = string {
        library.getProgramBuildInfo(
          program, device.id, cl_program_build_info(CL_PROGRAM_BUILD_LOG), $0, $1, $2)
      }
      if getenv("LAB_OPENCL_LOG") != nil {
        FileHandle.standardError.write(Data("\(options)\n\(log)\n".utf8))
      }
      let line = log.split(whereSeparator: \.isNewline).first { $0.contains("error") } ?? ""
      return .failure(
        GPUError(
          "\(device.name): the driver \(device.driver) does not compile a kernel "
            + "(\(errorName(status)) \(line)); a newer driver may, and --gpus=0 computes without it"
        ))
    }
    return .success(program)
  }

  private func binary(of program: cl_program) -> Data? {
    var size = 0
    guard
      library.getProgramInfo(
        program, cl_program_info(CL_PROGRAM_BINARY_SIZES), MemoryLayout<Int>.size, &size, nil)
        == CL_SUCCESS, size > 0
    else { return nil }
    var binary = Data(count: size)
    let status = binary.withUnsafeMutableBytes { bytes in
      var start = bytes.baseAddress
      return library.getProgramInfo(
        program, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout<UnsafeRawPointer?>.size, &start,
        nil)
    }
    return status == CL_SUCCESS ? binary : nil
  }
}

/// Pinned host memory, from which small copies to the device are made asynchronously.
///
/// The driver allocates it if it can: it may copy from such memory directly.
private struct Staging {
  let size: Int
  private let start: UnsafeMutableRawPointer
  private var used = 0

  init(
    size: Int, _ library: OpenCLLibrary, _ context: cl_context, _ queue: cl_command_queue
  ) {
    self.size = size
    var status: cl_int = 0
    let flags = cl_mem_flags(CL_MEM_READ_WRITE) | cl_mem_flags(CL_MEM_ALLOC_HOST_PTR)
    let buffer = library.createBuffer(context, flags, size, nil, &status)
    let mapped = buffer.flatMap {
      library.enqueueMap(
        queue, $0, cl_bool(CL_TRUE), cl_map_flags(CL_MAP_WRITE), 0, size, 0, nil, nil, &status)
    }
    start = mapped ?? .allocate(byteCount: size, alignment: 4096)
  }

  func isFull(for bytes: Int) -> Bool { used + bytes > size }

  mutating func clear() { used = 0 }

  mutating func copy(_ source: UnsafeRawPointer, _ bytes: Int) -> UnsafeRawPointer {
    let target = start + used
    target.copyMemory(from: source, byteCount: bytes)
    used += (bytes + 63) / 64 * 64
    return UnsafeRawPointer(target)
  }
}

/// The name of an OpenCL error.
func errorName(_ status: cl_int) -> String {
  let names: [cl_int: String] = [
    CL_DEVICE_NOT_FOUND: "CL_DEVICE_NOT_FOUND", CL_DEVICE_NOT_AVAILABLE: "CL_DEVICE_NOT_AVAILABLE",
    CL_COMPILER_NOT_AVAILABLE: "CL_COMPILER_NOT_AVAILABLE",
    CL_MEM_OBJECT_ALLOCATION_FAILURE: "CL_MEM_OBJECT_ALLOCATION_FAILURE",
    CL_OUT_OF_RESOURCES: "CL_OUT_OF_RESOURCES", CL_OUT_OF_HOST_MEMORY: "CL_OUT_OF_HOST_MEMORY",
    CL_BUILD_PROGRAM_FAILURE: "CL_BUILD_PROGRAM_FAILURE",
    CL_INVALID_KERNEL_NAME: "CL_INVALID_KERNEL_NAME",
    CL_INVALID_KERNEL_ARGS: "CL_INVALID_KERNEL_ARGS", CL_INVALID_ARG_INDEX: "CL_INVALID_ARG_INDEX",
    CL_INVALID_ARG_SIZE: "CL_INVALID_ARG_SIZE",
    CL_INVALID_WORK_GROUP_SIZE: "CL_INVALID_WORK_GROUP_SIZE",
    CL_INVALID_BUFFER_SIZE: "CL_INVALID_BUFFER_SIZE",
    CL_INVALID_COMMAND_QUEUE: "CL_INVALID_COMMAND_QUEUE",
  ]
  return names[status] ?? "error \(status)"
}
