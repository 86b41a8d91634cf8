import Synchronization

/// Measures how much memory the tensors of the processor take that a piece of work makes.
///
/// ```swift
/// let bytes = MemoryMeter.peak { … }
/// ```
package final class MemoryMeter: Sendable {
  /// The meter of this thread's work; nil if none measures.
  @TaskLocal static var current: MemoryMeter?

  private let bytes = Atomic(0)
  private let peak = Atomic(0)

  /// The most bytes that were in use at one time, of those that `body` has allocated in this thread.
  package static func peak(of body: () throws -> Void) rethrows -> Int {
    let meter = MemoryMeter()
    try $current.withValue(meter, operation: body)
    return meter.peak.load(ordering: .relaxed)
  }

  /// Notes that floats were allocated, or freed if the number is negative.
  func add(floats count: Int) {
    let (_, now) = bytes.add(count * MemoryLayout<Float>.stride, ordering: .relaxed)
    peak.max(now, ordering: .relaxed)
  }
}
