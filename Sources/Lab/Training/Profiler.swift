import Dispatch
import Foundation
import LabData
import LabNetworks
import LabTensors

/// Measures how long the parts of a training, its operations and its layers take, like the
/// `SimpleProfiler` of PyTorch Lightning: `lab train --profiler=simple`.
///
/// ```swift
/// let profiler = Profiler()
/// trainer.profiler = profiler
/// try trainer.fit(model, data, optimizer: optimizer)
/// print(profiler.report)
/// ```
///
/// A trainer that prints results prints the report on standard error, and writes `trace.json` into the
/// folder of its run, in the Trace Event Format, which `chrome://tracing` and Perfetto open.
///
/// An operation's time is that from the end of the operation before it, so that it includes what the
/// model computes between the two. Convolutions, sums and batch normalizations are computed when their
/// result is needed, together with the activation, pooling and dropout behind them: their time is that
/// of this computation. Two convolutions that are computed together are one row. Weights and results are
/// the same with a profiler.
///
/// On a GPU operations are launched, not awaited: times are those of launching, and the device is waited
/// for when losses are read. The environment variable `LAB_OPENCL_PROFILE` prints the times of its
/// kernels.
public final class Profiler: @unchecked Sendable {
  // Sendable because everything that changes is used with `lock` locked.

  /// The parts of a training.
  package enum Action: String, CaseIterable {
    case dataLoading = "data loading"
    case forward, backward
    /// Both, of the parts of a batch.
    case gradients = "forward and backward"
    case optimizerStep = "optimizer step"
    case readingLosses = "reading losses"
    case validation, logging, saving
  }

  /// A pass through the network.
  package enum Pass: String, CaseIterable {
    case forward, backward
    /// Forward, on validation images.
    case validation
  }

  /// How often something was done, and how long it took.
  package struct Total: Equatable {
    package fileprivate(set) var calls = 0
    package fileprivate(set) var nanoseconds: UInt64 = 0

    /// In seconds.
    package var seconds: Double { Double(nanoseconds) * 1e-9 }
  }

  /// An operation of a layer in a pass.
  package struct Key: Hashable {
    package let operation, layer: String
    package let pass: Pass

    package init(operation: String, layer: String, pass: Pass) {
      (self.operation, self.layer, self.pass) = (operation, layer, pass)
    }
  }

  /// A computation that is being measured in a thread.
  private struct Frame {
    let start: UInt64
    /// The time of what was measured in it.
    var inner: UInt64 = 0
    /// The end of the last operation in it, and what was measured since then.
    var operationStart: UInt64
    var innerOfOperation: UInt64 = 0

    init(at now: UInt64) { (start, operationStart) = (now, now) }
  }

  /// What a thread computes.
  private final class ThreadState {
    /// Held, so that no other thread has its identity.
    let thread: Thread
    let number: Int
    var frames: [Frame]
    /// The number of the next operation in the pass.
    var next = 0

    init(_ thread: Thread, number: Int, at now: UInt64) {
      (self.thread, self.number, frames) = (thread, number, [Frame(at: now)])
    }

    var top: Frame {
      get { frames[frames.count - 1] }
      set { frames[frames.count - 1] = newValue }
    }
  }

  private let lock = NSLock()
  private var threads: [ObjectIdentifier: ThreadState] = [:]
  private var actions: [Action: Total] = [:]
  private var computations: [Key: Total] = [:]
  private var openActions: [(action: Action, start: UInt64, inner: UInt64)] = []
  private var intervals: [TraceInterval] = []
  private var leftOut = 0
  /// The network's operations, in the order in which a forward pass calls them.
  private var operations: [(name: String, layer: String)] = []
  private var beginning: UInt64 = 0
  private var whole = Total()
  private var isOnGPU = false

  /// How many intervals `trace.json` has, at most: the first ones.
  package let intervalLimit: Int

  public convenience init() { self.init(intervalLimit: 50_000) }

  package init(intervalLimit: Int) {
    self.intervalLimit = intervalLimit
  }

  private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  // MARK: A training

  /// Measures a training.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - inputShape: The shape of a batch.
  ///   - body: Trains it.
  func measure<Result>(
    _ model: some Layer, inputShape: [Int], _ body: () throws -> Result
  ) throws -> Result {
    // A model that cannot be computed from zeros is measured without its layers.
    let trace = try? NetworkTrace(model, inputShape: inputShape)
    let name = "\(type(of: model))"
    lock.withLock {
      operations =
        trace.map { trace in
          trace.operations.map { ($0.name, $0.layer.isEmpty ? name : $0.layer) }
        } ?? []
      isOnGPU = isOnGPU || model.device.isGPU
      if whole.calls == 0 { beginning = Self.now }
    }
    let start = Self.now
    defer {
      lock.withLock { whole.add(Self.now - start) }
    }
    return try OperationObservation.$observer.withValue(self) { try body() }
  }

  /// A part of the training begins.
  func begin(_ action: Action) {
    lock.withLock {
      openActions.append((action, Self.now, 0))
      state.top = Frame(at: Self.now)
    }
  }

  /// The part that began last ends.
  func end() {
    lock.withLock {
      guard let (action, start, inner) = openActions.popLast() else { return }
      let now = Self.now
      actions[action, default: Total()].add(now - start - inner)
      if !openActions.isEmpty { openActions[openActions.count - 1].inner += now - start }
      add(TraceInterval(action.rawValue, "training", nil, start: start, end: now, state.number))
      state.top = Frame(at: now)
    }
  }

  /// What the calling thread computes.
  private var state: ThreadState {
    let thread = Thread.current
    if let known = threads[ObjectIdentifier(thread)] { return known }
    let new = ThreadState(thread, number: threads.count, at: Self.now)
    threads[ObjectIdentifier(thread)] = new
    return new
  }

  private func add(_ interval: TraceInterval) {
    if intervals.count < intervalLimit { intervals.append(interval) } else { leftOut += 1 }
  }

  // MARK: Results

  /// The time of the training itself.
  package var total: Total { lock.withLock { whole } }
  /// The times of its parts, without those of other parts in them.
  package var parts: [Action: Total] { lock.withLock { actions } }
  /// The times of operations, without those of others that they have called.
  package var times: [Key: Total] { lock.withLock { computations } }

  /// The tables of times: by the parts of the training, by operation and by layer, the longest first.
  public var report: String {
    let (parts, times, whole) = (parts, times, total)
    let rows = Action.allCases.compactMap { action in parts[action].map { (action.rawValue, $0) } }
    let byOperation = Self.grouped(times) { "\($0.pass.rawValue): \($0.operation)" }
    let byLayer = Self.grouped(times) { "\($0.pass.rawValue): \($0.layer)" }
    var sections: [(title: String, rows: [(String, Total)])] = [
      ("Profiler report", [("Total", whole)] + Self.sorted(rows))
    ]
    if !times.isEmpty {
      sections += [("By operation", byOperation), ("By layer", byLayer)]
    }
    let titles = ["Mean duration (ms)", "Calls", "Total time (s)", "Percentage %"]
    let lines = sections.flatMap { section in
      let texts = section.rows.map { name, total in
        [name] + Self.texts(total, of: whole.seconds)
      }
      return [[section.title == "Profiler report" ? "Action" : section.title] + titles] + texts
    }
    let (table, width) = alignedColumns(lines, right: [1, 2, 3, 4])
    let rule = String(repeating: "-", count: width)
    var text = ["Profiler report"]
    var next = 0
    for section in sections {
      text += [rule, table[next], rule]
      text += table[next + 1...next + section.rows.count]
      next += 1 + section.rows.count
    }
    return (text + [rule] + notes).joined(separator: "\n")
  }

  /// What has to be known of the times.
  private var notes: [String] {
    var notes: [String] = []
    if !times.isEmpty {
      notes.append(
        "Activations, pooling and dropout that are computed with the operation in front of them "
          + "count to it.")
    }
    if lock.withLock({ threads.count }) > 1 {
      notes.append(
        "Operations are computed by several threads, whose times are added up. Batch normalization "
          + "waits in them for the other parts of the batch.")
    }
    if lock.withLock({ isOnGPU }) {
      notes.append(
        "Times of operations on the GPU are those of launching them; LAB_OPENCL_PROFILE=1 prints "
          + "those of its kernels.")
    }
    return notes
  }

  private static func grouped(
    _ times: [Key: Total], _ name: (Key) -> String
  ) -> [(String, Total)] {
    var sums: [String: Total] = [:]
    for (key, total) in times {
      sums[name(key), default: Total()].calls += total.calls
      sums[name(key), default: Total()].nanoseconds += total.nanoseconds
    }
    // What was only put off, and computed with another operation, has no call of its own.
    return sorted(sums.filter { $0.value.calls > 0 }.map { ($0.key, $0.value) })
  }

  private static func sorted(_ rows: [(String, Total)]) -> [(String, Total)] {
    rows.sorted { a, b in
      a.1.nanoseconds == b.1.nanoseconds ? a.0 < b.0 : a.1.nanoseconds > b.1.nanoseconds
    }
  }

  private static func texts(_ total: Total, of whole: Double) -> [String] {
    let mean = total.seconds * 1e3 / Double(max(1, total.calls))
    let percent = whole > 0 ? 100 * total.seconds / whole : 0
    return [
      String(format: "%.3f", mean), "\(total.calls)", String(format: "%.3f", total.seconds),
      String(format: "%.1f", percent),
    ]
  }

  /// Writes the intervals in the Trace Event Format, whole or not at all.
  ///
  /// - Throws: ``DataError`` if the file cannot be written.
  package func writeTrace(to url: URL) throws {
    let file = lock.withLock { TraceFile(intervals, from: beginning, leftOut: leftOut) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes = try encoder.encode(file)
    try writeWhole(to: url) { try $0.write(contentsOf: bytes) }
  }
}

extension Profiler.Total {
  fileprivate mutating func add(_ nanoseconds: UInt64, calls: Int = 1) {
    self.calls += calls
    self.nanoseconds += nanoseconds
  }
}

// MARK: Operations

extension Profiler: OperationObserver {
  package func forwardBegins() {
    lock.withLock {
      let state = state
      state.next = 0
      state.top = Frame(at: Self.now)
    }
  }

  package func called(
    _ operation: String, _ inputs: [Tensor], _ output: Tensor, _ kind: OperationKind
  ) -> OperationLabel? {
    lock.withLock {
      let (state, now) = (state, Self.now)
      let layer = nextLayer(of: operation, state)
      defer {
        state.top.operationStart = now
        state.top.innerOfOperation = 0
      }
      guard kind != .fused, let pass else { return nil }
      let start = state.top.operationStart
      let own = now - start - state.top.innerOfOperation
      state.top.inner += own
      record(operation, layer, pass, own, calls: kind == .computed ? 1 : 0)
      if kind == .computed {
        add(TraceInterval(operation, pass.rawValue, layer, start: start, end: now, state.number))
      }
      return OperationLabel(operation, layer: layer)
    }
  }

  package func computationBegins() {
    lock.withLock { state.frames.append(Frame(at: Self.now)) }
  }

  package func computationEnded(_ label: OperationLabel, isBackward: Bool) {
    lock.withLock {
      let (state, now) = (state, Self.now)
      guard state.frames.count > 1, let frame = state.frames.popLast() else { return }
      let duration = now - frame.start
      state.top.inner += duration
      state.top.innerOfOperation += duration
      guard let pass = isBackward ? .backward : pass else { return }
      record(label.operation, label.layer, pass, duration - frame.inner, calls: 1)
      add(
        TraceInterval(
          label.operation, pass.rawValue, label.layer, start: frame.start, end: now, state.number))
    }
  }

  package func backwardEnded() {
    lock.withLock {
      state.next = 0
      state.top = Frame(at: Self.now)
    }
  }

  /// The layer of the operation that comes next in the pass: what comes after the network is the loss.
  private func nextLayer(of operation: String, _ state: ThreadState) -> String {
    guard !operations.isEmpty else { return "outside the network" }
    guard state.next < operations.count else { return "loss" }
    // A network that computes something else in training is found again at its next operation.
    guard let index = operations[state.next...].firstIndex(where: { $0.name == operation }) else {
      return "outside the network"
    }
    state.next = index + 1
    return operations[index].layer
  }

  /// The pass that is computed now; nil for what observers compute, such as figures.
  private var pass: Pass? {
    switch openActions.last?.action {
    case .forward, .gradients: .forward
    case .backward: .backward
    case .validation: .validation
    default: nil
    }
  }

  private func record(
    _ operation: String, _ layer: String, _ pass: Pass, _ nanoseconds: UInt64, calls: Int
  ) {
    let key = Key(operation: operation, layer: layer, pass: pass)
    computations[key, default: Total()].add(nanoseconds, calls: calls)
  }
}

// MARK: The trainer

extension Trainer {
  /// A part of the training, measured if there is a profiler.
  func timed<Result, Failure: Error>(
    _ action: Profiler.Action, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let profiler else { return try body() }
    profiler.begin(action)
    defer { profiler.end() }
    return try body()
  }

  /// A training, measured if there is a profiler, whose report and trace are written then, also if the
  /// training is interrupted.
  func profiled<Result>(
    _ model: some Layer, inputShape: [Int], _ body: () throws -> Result
  ) throws -> Result {
    guard let profiler else { return try body() }
    defer { finish(profiler) }
    return try profiler.measure(model, inputShape: inputShape, body)
  }

  private func finish(_ profiler: Profiler) {
    guard processes.rank == 0 else { return }
    if !isQuiet {
      for line in profiler.report.split(separator: "\n") { StandardError.writeLine(String(line)) }
    }
    guard let run else { return }
    do {
      try profiler.writeTrace(to: run.folder.appending(path: TrainingRun.traceName))
    } catch {
      warn("Warning: Profiler: \(error)")
    }
  }
}
