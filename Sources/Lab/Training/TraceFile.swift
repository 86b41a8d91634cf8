import Foundation

/// An interval of a profile.
struct TraceInterval {
  let name: String
  /// What it is a part of: the training, or a pass through the network.
  let category: String
  /// The path of the layer.
  let layer: String?
  /// In nanoseconds.
  let start, end: UInt64
  /// The number of the thread.
  let thread: Int

  init(
    _ name: String, _ category: String, _ layer: String?, start: UInt64, end: UInt64, _ thread: Int
  ) {
    (self.name, self.category, self.layer) = (name, category, layer)
    (self.start, self.end, self.thread) = (start, end, thread)
  }
}

/// Intervals in the Trace Event Format, which `chrome://tracing` and Perfetto open.
///
/// Source: Google, "Trace Event Format", complete events and metadata events.
struct TraceFile: Encodable {
  struct Event: Encodable {
    let name: String
    var cat: String?
    /// The kind of event: X has a beginning and a duration, M says something about a thread.
    let ph: String
    /// In microseconds.
    var ts: Double?
    var dur: Double?
    let pid = 1
    let tid: Int
    var args: [String: String]?
  }

  let traceEvents: [Event]
  let displayTimeUnit = "ms"
  let otherData: [String: String]

  init(_ intervals: [TraceInterval], from beginning: UInt64, leftOut: Int) {
    let threads = Set(intervals.map(\.thread)).sorted()
    traceEvents =
      threads.map { thread in
        let name = thread == 0 ? "main" : "thread \(thread)"
        return Event(name: "thread_name", ph: "M", tid: thread, args: ["name": name])
      }
      + intervals.map { interval in
        // What began before does so at 0.
        let start = max(interval.start, beginning)
        return Event(
          name: interval.name, cat: interval.category, ph: "X",
          ts: Double(start - beginning) / 1e3,
          dur: Double(max(interval.end, start) - start) / 1e3, tid: interval.thread,
          args: interval.layer.map { ["layer": $0] })
      }
    otherData = ["intervals left out at the end": "\(leftOut)"]
  }
}
