import COpenCL
import Foundation
import Synchronization

/// How long each kernel took on the device, printed on standard error when the program ends: with the
/// environment variable `LAB_OPENCL_PROFILE`. Measuring makes each launch a little slower.
final class KernelProfile: @unchecked Sendable {
  // Sendable because everything that changes is used with the queue's lock held, or at the end.
  private let library: OpenCLLibrary
  private var events: [(name: String, event: cl_event)] = []
  private var times: [String: (count: Int, seconds: Double)] = [:]

  /// Nil unless the variable is set.
  init?(_ library: OpenCLLibrary) {
    guard getenv("LAB_OPENCL_PROFILE") != nil else { return nil }
    self.library = library
    Self.all.withLock { profiles in
      if profiles.isEmpty { atexit { KernelProfile.all.withLock { $0 }.forEach { $0.print() } } }
      profiles.append(self)
    }
  }

  private static let all = Mutex<[KernelProfile]>([])

  /// Whether it is time to wait for the device and ``collect()``.
  var isFull: Bool { events.count >= 4096 }

  func add(_ name: String, _ event: cl_event?) {
    if let event { events.append((name, event)) }
  }

  /// Adds up the times of kernels that have ended.
  func collect() {
    for (name, event) in events {
      var (start, end): (cl_ulong, cl_ulong) = (0, 0)
      _ = library.getEventProfilingInfo(
        event, cl_profiling_info(CL_PROFILING_COMMAND_START), 8, &start, nil)
      _ = library.getEventProfilingInfo(
        event, cl_profiling_info(CL_PROFILING_COMMAND_END), 8, &end, nil)
      _ = library.releaseEvent(event)
      times[name, default: (0, 0)].count += 1
      times[name, default: (0, 0)].seconds += Double(end &- start) * 1e-9
    }
    events = []
  }

  private func print() {
    var text = "  launches   mean µs   total ms  kernel\n"
    for (name, time) in times.sorted(by: { $0.value.seconds > $1.value.seconds }) {
      let mean = time.seconds / Double(time.count) * 1e6
      text += String(format: "%10d %9.1f %10.2f  ", time.count, mean, time.seconds * 1e3)
      text += name + "\n"
    }
    FileHandle.standardError.write(Data(text.utf8))
  }
}
