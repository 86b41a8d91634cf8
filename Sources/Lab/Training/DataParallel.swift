import Digests
import Dispatch
import Foundation
import Kernels
import LabData
import LabNetworks
import LabProcesses
import LabRandom
import LabTensors
import Synchronization

/// Training by parts of batches, in one or several processes, with the same bytes for any number of
/// processes and threads.
///
/// Each batch is cut into micro-shards, as equal as possible, whose number does not depend on the number
/// of processes. Each micro-shard has a tape of its own. Gradients, statistics of batch normalization,
/// losses and metrics are added up over the micro-shards in a fixed tree (``SumTree``). A process computes
/// some neighboring micro-shards of each batch.
///
/// A batch with fewer rows than micro-shards is computed by every process for itself.
final class DataParallel {
  let processes: any Communicator
  var microShards: Int { tree.count }
  /// The tree over the micro-shards.
  private let tree: SumTree
  private let threads: ShardThreads
  /// The parameters in groups whose gradients travel together, the last layers first.
  private let buckets: Buckets
  private let device: Device
  /// Whether this process was asked to end.
  private let isInterrupted: () -> Bool
  /// Whether any process was asked to end before the last step.
  private(set) var hasBeenInterrupted = false
  /// The number of passes and of their sums so far, by which exchanges are numbered.
  private var passes = 0
  private var sums = 0

  /// - Parameters:
  ///   - model: The model that is trained.
  ///   - microShards: Into how many parts a batch is cut.
  ///   - processes: The processes, at most as many as micro-shards.
  ///   - isInterrupted: Whether this process was asked to end.
  /// - Throws: ``TrainingError`` if there are too many processes.
  init(
    _ model: some Layer, microShards: Int, processes: any Communicator,
    isInterrupted: @escaping () -> Bool
  ) throws(TrainingError) {
    guard microShards >= processes.size else {
      throw TrainingError(
        advising: """
          fit: expected at most \(microShards) processes, one for each micro-shard of a batch, got \
          \(processes.size); raise \(setting: .microShards)
          """)
    }
    self.processes = processes
    // It is asked at several places, and all of them must know.
    self.isInterrupted = Self.remembering(isInterrupted)
    device = model.device
    tree = SumTree(count: microShards)
    let own = tree.share(of: processes.rank, among: processes.size)
    // A batch with fewer rows than micro-shards has a micro-shard for each row.
    threads = ShardThreads(count: max(own.count, microShards - 1))
    buckets = Buckets(model.parameters)
  }

  /// A function that stays true once it was.
  private static func remembering(_ condition: @escaping () -> Bool) -> () -> Bool {
    final class Memory: Sendable {
      let isTrue = Atomic(false)
    }
    let memory = Memory()
    return {
      if condition() { memory.isTrue.store(true, ordering: .relaxed) }
      return memory.isTrue.load(ordering: .relaxed)
    }
  }

  /// The rows of a batch that this process computes.
  func rows(ofBatch count: Int) -> Range<Int> { sharing(count) }

  /// The rows of a batch of some size that this process computes.
  var sharing: @Sendable (_ count: Int) -> Range<Int> {
    let (tree, own) = (tree, tree.share(of: processes.rank, among: processes.size))
    return { count in
      count >= tree.count ? Self.rows(own, of: count, in: tree.count) : 0..<count
    }
  }

  /// Whether a batch has a row for each micro-shard.
  private func isShared(_ count: Int) -> Bool { count >= tree.count }

  /// The rows of some micro-shards.
  private static func rows(_ shards: Range<Int>, of count: Int, in all: Int) -> Range<Int> {
    count * shards.lowerBound / all..<count * shards.upperBound / all
  }

  /// The micro-shards of a batch that this process computes, and the rows of each among those of
  /// ``rows(ofBatch:)``.
  private func plan(_ count: Int) -> (tree: SumTree, shards: Range<Int>, rows: [Range<Int>]) {
    let isShared = isShared(count)
    let tree = isShared ? tree : SumTree(count: count)
    let shards = isShared ? tree.share(of: processes.rank, among: processes.size) : 0..<count
    let first = Self.rows(shards, of: count, in: tree.count).lowerBound
    let rows = shards.map {
      let rows = Self.rows($0..<$0 + 1, of: count, in: tree.count)
      return rows.lowerBound - first..<rows.upperBound - first
    }
    return (tree, shards, rows)
  }

  // MARK: Training

  /// Computes the loss of a batch and the gradients by all parameters, which are the same in all
  /// processes then. Nothing changes if that fails.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - objective: The loss and the metrics.
  ///   - batch: The rows of the batch that ``rows(ofBatch:)`` gives.
  ///   - count: The number of rows of the whole batch.
  /// - Throws: ``ShapeError`` if the model does not fit the batch, ``PeerFailure`` if another process
  ///   has failed.
  func pass(
    _ model: some Layer, _ objective: some Objective, _ batch: Batch, of count: Int
  ) throws -> BatchScore {
    let plan = plan(count)
    let isShared = isShared(count)
    let peers: any Communicator = isShared ? processes : SingleProcess.shared
    let pass = ShardedPass(
      plan.tree, plan.shards, buckets, peers, device: device, number: passes, firstSum: sums,
      isInterrupted: isInterrupted)
    if isShared { passes += 1 }
    let interrupted = isInterrupted()
    let parts = plan.rows.map(batch.part)
    // The model is not changed, only computed with; each part has a tape of its own.
    nonisolated(unsafe) let (unsafeModel, unsafeObjective) = (model, objective)
    threads.run(plan.shards.count, isOneAtATime: device.isGPU) { index, permit in
      let shard = ShardOfBatch(pass, index, permit)
      CurrentShard.$shard.withValue(shard) {
        do {
          let part = parts[index]
          let tape = Tape(shard)
          let output = try unsafeModel(tape.input(part.x))
          let score = try unsafeObjective.score(output, part)
          try pass.scored(index, score, rows: part.count, interrupted)
          let share = Tensor(
            repeating: Float(Double(part.count) / Double(count)), shape: score.loss.shape)
          try tape.backward(score.loss, gradient: share.to(score.loss.device))
          shard.finish()
        } catch {
          pass.fail(error)
        }
      }
    }
    let result = try pass.finish()
    if isShared { sums += pass.sumCount }
    hasBeenInterrupted = isShared ? result.interrupted : try processes.any(interrupted)
    return result.score
  }

  // MARK: Evaluation

  /// Computes the outputs and scores of a batch, without a tape.
  ///
  /// - Returns: Outputs, parts of the batch, and scores of the micro-shards of this process, in order.
  func evaluate(
    _ model: some Layer, _ objective: some Objective, _ batch: Batch, of count: Int
  ) throws -> [(output: Tensor, part: Batch, score: BatchScore)] {
    let plan = plan(count)
    let parts = plan.rows.map(batch.part)
    let results = Results<(Tensor, Batch, BatchScore)>()
    nonisolated(unsafe) let (unsafeModel, unsafeObjective) = (model, objective)
    threads.run(plan.shards.count, isOneAtATime: device.isGPU) { index, _ in
      results.set(index) {
        let output = try unsafeModel(parts[index].x)
        output.materialize()
        let score = try unsafeObjective.score(output, parts[index])
        return (output, parts[index], score)
      }
    }
    return try results.values(parts.count)
  }

  /// What the micro-shards of all processes say about some batches: for each batch, in the order of
  /// the micro-shards.
  ///
  /// - Parameters:
  ///   - all: What each process says about its micro-shards, batch after batch.
  ///   - batches: The batches.
  func inOrder<Value>(of all: [[Value]], _ batches: Batches) -> [[Value]] {
    var next = all.map { _ in 0 }
    return (0..<batches.count).map { index in
      let size = batches.size(ofBatch: index)
      var values: [Value] = []
      for rank in all.indices {
        // Of a small batch, each process has all micro-shards.
        let count =
          isShared(size) ? tree.share(of: rank, among: processes.size).count : size
        if isShared(size) || rank == 0 { values += all[rank][next[rank]..<next[rank] + count] }
        next[rank] += count
      }
      return values
    }
  }

  /// The same for some numbers about each micro-shard.
  func inOrder(_ numbers: [Double], _ batches: Batches, each: Int) throws -> [[[Double]]] {
    let bytes = numbers.flatMap { number in
      (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt64($0))) }
    }
    let all = try processes.gather(bytes).map { bytes in
      let words = stride(from: 0, to: bytes.count, by: 8).map { first in
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[first + $1]) << (8 * UInt64($1)) }
      }
      let numbers = words.map { Double(bitPattern: $0) }
      return stride(from: 0, to: numbers.count, by: each).map {
        Array(numbers[$0..<min($0 + each, numbers.count)])
      }
    }
    return inOrder(of: all, batches)
  }

  // MARK: The beginning

  /// Checks that all processes begin with the same weights, data and settings, and compute with the same
  /// kernels.
  ///
  /// - Throws: ``TrainingError`` that names the difference.
  func checkThatAllBegin(
    with model: some Layer, _ optimizer: any Optimizer, _ state: TrainingState
  ) throws {
    guard processes.size > 1 else { return }
    let set = KernelSet.current
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let facts = [
      ("micro-shards", "\(microShards)"),
      ("kernels", "\(set.name) with \(set.productsName) products"),
      ("device", device.isGPU ? device.properties ?? "gpu" : "cpu"),
      ("data", state.sources.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined()),
      ("batches", "\(state.stepsPerEpoch) of \(state.batchSize)"),
      ("optimizer", "\(type(of: optimizer)) with the learning rate \(optimizer.learningRate)"),
      ("random numbers", try SHA256.hexadecimal(of: encoder.encode(Generator.shared.state))),
      ("weights", try SHA256.hexadecimal(of: Checkpoint.file(of: model).data)),
    ]
    let text = facts.map(\.1).joined(separator: "\n")
    let all = try processes.gather([UInt8](text.utf8)).map {
      String(decoding: $0, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false
      ).map(String.init)
    }
    for (rank, theirs) in all.enumerated() {
      for ((name, _), (first, other)) in zip(facts, zip(all[0], theirs)) where first != other {
        let isLong = first.count > 60 || other.count > 60
        throw TrainingError(
          "fit: expected the same \(name) in all processes, got "
            + (isLong ? "others" : "\(other)") + " in \(processes.name(of: rank))"
            + (isLong ? "" : " and \(first) in \(processes.name(of: 0))")
            + "; give all of them the same program, options and data")
      }
    }
  }
}

extension Batch {
  /// Some rows of the batch.
  fileprivate func part(_ rows: Range<Int>) -> Batch {
    guard rows != 0..<count else { return self }
    return Batch(x: x.rows(rows), y: y.rows(rows))
  }
}

// MARK: Threads

/// What threads have computed, by number.
private final class Results<Value>: @unchecked Sendable {
  // Sendable because everything that changes is used with `lock` locked.
  private let lock = NSLock()
  private var results: [Int: Result<Value, any Error>] = [:]

  func set(_ index: Int, _ value: () throws -> Value) {
    let result = Result { try value() }
    lock.withLock { results[index] = result }
  }

  /// - Throws: The error of the first one that failed.
  func values(_ count: Int) throws -> [Value] {
    try lock.withLock { try (0..<count).compactMap { try results[$0]?.get() } }
  }
}

/// Threads that compute the micro-shards of a batch. As many compute at a time as the program has
/// threads; others wait for their turn, or for other parts of the batch.
private final class ShardThreads {
  private let workers: [Worker]

  init(count: Int) {
    workers = (0..<count).map { _ in Worker() }
  }

  deinit {
    for worker in workers { worker.end() }
  }

  /// Calls `body` for each part, each in a thread of its own, and waits for all.
  ///
  /// - Parameters:
  ///   - count: The number of parts.
  ///   - isOneAtATime: Whether only one part computes at a time.
  ///   - body: Called with the part's number and the permit to compute, which it has then. It gives the
  ///     permit back while it waits.
  func run(
    _ count: Int, isOneAtATime: Bool,
    _ body: @escaping @Sendable (Int, DispatchSemaphore) -> Void
  ) {
    let total = isOneAtATime ? 1 : min(count, Threads.total)
    let limit = isOneAtATime ? Threads.total : max(1, Threads.total / total)
    let permit = DispatchSemaphore(value: total)
    let (generator, set) = (Generator.shared, KernelSet.current)
    let group = DispatchGroup()
    for index in 0..<count {
      group.enter()
      workers[index].do {
        permit.wait()
        Generator.$shared.withValue(generator) {
          KernelSet.$current.withValue(set) {
            Threads.$limit.withValue(limit) { body(index, permit) }
          }
        }
        permit.signal()
        group.leave()
      }
    }
    group.wait()
  }

  /// A thread that does one thing after another.
  private final class Worker: Sendable {
    private final class Shelf: @unchecked Sendable {
      // Sendable because everything that changes is used with `condition` locked.
      private let condition = NSCondition()
      private var work: (@Sendable () -> Void)?
      private var isAtEnd = false

      func put(_ work: (@Sendable () -> Void)?) {
        condition.withLock {
          self.work = work
          isAtEnd = work == nil
          condition.signal()
        }
      }

      /// The next work; nil at the end.
      func next() -> (@Sendable () -> Void)? {
        condition.withLock {
          while work == nil, !isAtEnd { condition.wait() }
          defer { work = nil }
          return work
        }
      }
    }

    private let shelf = Shelf()

    init() {
      let shelf = shelf
      let thread = Thread {
        while let work = shelf.next() { work() }
      }
      thread.stackSize = 16 << 20
      thread.start()
    }

    func `do`(_ work: @escaping @Sendable () -> Void) { shelf.put(work) }
    func end() { shelf.put(nil) }
  }
}

// MARK: Gradients

/// Parameters in groups whose gradients travel together.
private struct Buckets: @unchecked Sendable {
  // Sendable because nothing changes; parameters are changed after the pass.

  /// The parameters of each group, the last layers first.
  let groups: [[Parameter]]
  /// The group of each parameter.
  let group: [ObjectIdentifier: Int]

  /// The least number of elements of a group but the last: a megabyte.
  private static var size: Int { 1 << 18 }

  init(_ parameters: [Parameter]) {
    var groups: [[Parameter]] = []
    var count = Self.size
    for parameter in parameters.reversed() {
      if count >= Self.size {
        groups.append([])
        count = 0
      }
      groups[groups.count - 1].append(parameter)
      count += parameter.count
    }
    self.groups = groups
    var group: [ObjectIdentifier: Int] = [:]
    for (index, parameters) in groups.enumerated() {
      for parameter in parameters { group[ObjectIdentifier(parameter)] = index }
    }
    self.group = group
  }
}

/// One forward and backward pass over a batch by its micro-shards.
private final class ShardedPass: @unchecked Sendable {
  // Sendable because everything that changes is used with `condition` locked.

  private let tree: SumTree
  /// The micro-shards of this process.
  private let shards: Range<Int>
  private let buckets: Buckets
  private let peers: any Communicator
  private let device: Device
  private let isInterrupted: () -> Bool
  /// The number of the pass, and of its first sum.
  private let number, firstSum: Int

  private let condition = NSCondition()
  private var error: (any Error)?
  /// The numbers of each micro-shard in each sum, and the sums.
  private var terms: [[Int: [Double]]] = []
  private var sums: [Int: [Double]] = [:]
  /// The random words drawn from each generator.
  private var words: [ObjectIdentifier: [UInt64]] = [:]
  private var updates: [() -> Void] = []

  /// The scores of each micro-shard, and their sum.
  private var scores: [Int: [Double]] = [:]
  private var names: [String] = []
  private var score: [Double]?

  /// The gradients of each micro-shard in each group, and the sums.
  private var gradients: [[Int: [ObjectIdentifier: Tensor]]]
  private var summed: [[ObjectIdentifier: Tensor]?]

  init(
    _ tree: SumTree, _ shards: Range<Int>, _ buckets: Buckets, _ peers: any Communicator,
    device: Device, number: Int, firstSum: Int, isInterrupted: @escaping () -> Bool
  ) {
    (self.number, self.firstSum) = (number, firstSum)
    (self.tree, self.shards, self.buckets, self.peers) = (tree, shards, buckets, peers)
    (self.device, self.isInterrupted) = (device, isInterrupted)
    gradients = buckets.groups.map { _ in [:] }
    summed = buckets.groups.map { _ in nil }
  }

  var count: Int { shards.count }
  var sumCount: Int { condition.withLock { terms.count } }
  func number(of index: Int) -> Int { shards.lowerBound + index }
  var groupCount: Int { buckets.groups.count }
  private static var silence: Duration { .milliseconds(700) }
  func group(of parameter: Parameter) -> Int? { buckets.group[ObjectIdentifier(parameter)] }
  func parameters(ofGroup group: Int) -> [Parameter] { buckets.groups[group] }

  /// Ends the pass with an error; the first one counts.
  func fail(_ error: any Error) {
    condition.withLock {
      if self.error == nil { self.error = error }
      condition.broadcast()
    }
  }

  /// Waits, with the condition locked, until something is there or the pass has failed.
  ///
  /// A process that was asked to end does not wait long for others that are silent: when one dies,
  /// `mpirun` asks the others to end, and kills them a second later.
  private func wait(until isThere: () -> Bool) {
    let start = ContinuousClock.now
    while !isThere(), error == nil {
      _ = condition.wait(until: .now + 0.1)
      // What is called may take its time, or end the pass.
      condition.unlock()
      let silent = isInterrupted() ? peers.awaited.filter { $0.silence > Self.silence } : []
      condition.lock()
      if !silent.isEmpty, !isThere(), error == nil {
        let names = silent.map { peers.name(of: $0.rank) }
        error = PeerFailure(
          "interrupted while waiting for \(names.joined(separator: " and "))", of: silent[0].rank)
      }
    }
    peers.noteWait(start.duration(to: .now))
  }

  // MARK: Sums

  /// The sum of one more list of numbers over all micro-shards.
  ///
  /// - Parameters:
  ///   - index: The micro-shard, from 0 in this process.
  ///   - number: The number of the sum in this pass.
  ///   - permit: Given back while the micro-shard waits.
  func sum(_ index: Int, _ number: Int, _ numbers: [Double], _ permit: DispatchSemaphore)
    -> [Double]
  {
    let shard = self.number(of: index)
    let all: [Int: [Double]]? = condition.withLock {
      while terms.count <= number { terms.append([:]) }
      terms[number][shard] = numbers
      return terms[number].count == count ? terms[number] : nil
    }
    if let all {
      start(.sums, firstSum + number, all) { [self] in publish($0) { $0.sums[number] = $1 } }
    }
    permit.signal()
    defer { permit.wait() }
    return condition.withLock {
      if sums[number] == nil, error == nil { wait { sums[number] != nil } }
      return sums[number] ?? numbers.map { _ in 0 }
    }
  }

  /// Adds up what all micro-shards have given, in all processes.
  private func start(
    _ kind: ExchangeKind, _ number: Int, _ terms: [Int: [Double]],
    _ then: @escaping @Sendable (Result<[Double], PeerFailure>) -> Void
  ) {
    var parts: [Range<Int>: [Double]] = [:]
    for part in tree.parts(of: shards) {
      parts[part] = tree.sum(over: part, { $0.count == 1 ? terms[$0.lowerBound] : nil }) {
        zip($0, $1).map { $0 + $1 }
      }
    }
    peers.sum(kind, number, parts, tree, then: then)
  }

  private func publish<Value>(
    _ result: Result<Value, PeerFailure>, _ body: (ShardedPass, Value) -> Void
  ) {
    condition.withLock {
      switch result {
      case .success(let value): body(self, value)
      case .failure(let failure): if error == nil { error = failure }
      }
      condition.broadcast()
    }
  }

  // MARK: Random numbers and updates

  /// The word of a draw from a generator, the same for all micro-shards.
  func word(_ number: Int, of generator: Generator) -> UInt64 {
    condition.withLock {
      var drawn = words[ObjectIdentifier(generator)] ?? []
      while drawn.count <= number { drawn.append(generator.word64()) }
      words[ObjectIdentifier(generator)] = drawn
      return drawn[number]
    }
  }

  func append(_ update: @escaping () -> Void) {
    condition.withLock { updates.append(update) }
  }

  // MARK: Scores

  /// Takes the score of a micro-shard, and starts adding up when all have theirs.
  ///
  /// - Throws: ``ShapeError`` if the loss is no mean over the rows.
  func scored(_ index: Int, _ score: BatchScore, rows: Int, _ interrupted: Bool) throws {
    guard score.count == rows else {
      throw TrainingError(
        "fit: expected a loss that is the mean over the \(rows) examples of a batch, as training by "
          + "micro-shards needs, got a mean over \(score.count)")
    }
    let tensors = [score.loss.detached] + score.metrics.map(\.sum.detached)
    for (name, tensor) in zip(["loss"] + score.metrics.map(\.name), tensors)
    where tensor.count != 1 {
      throw ShapeError(
        "fit", expected: "a \(name) of one element", got: "shape \(tensor.shape)",
        hint: "an objective's tensors are sums or means over the batch")
    }
    let items = Tensor.items(of: tensors)
    var numbers = [interrupted ? 1 : 0, Double(rows), Double(items[0]) * Double(rows)]
    for (metric, item) in zip(score.metrics, items.dropFirst()) {
      numbers += [Double(metric.count), Double(item)]
    }
    let all: [Int: [Double]]? = condition.withLock {
      names = score.metrics.map(\.name)
      scores[number(of: index)] = numbers
      return scores.count == count ? scores : nil
    }
    if let all {
      start(.scores, number, all) { [self] in publish($0) { $0.score = $1 } }
    }
  }

  // MARK: Gradients

  /// Takes the gradients of a group from a micro-shard, and starts adding up when all have given theirs.
  func received(_ index: Int, group: Int, _ new: [ObjectIdentifier: Tensor]) {
    let all: [Int: [ObjectIdentifier: Tensor]]? = condition.withLock {
      gradients[group][number(of: index)] = new
      guard gradients[group].count == count else { return nil }
      defer { gradients[group] = [:] }
      return gradients[group]
    }
    if let all { sum(all, ofGroup: group) }
  }

  private func sum(_ terms: [Int: [ObjectIdentifier: Tensor]], ofGroup group: Int) {
    let parameters = buckets.groups[group]
    nonisolated(unsafe) var parts: [Range<Int>: [ObjectIdentifier: Tensor]] = [:]
    for part in tree.parts(of: shards) {
      parts[part] = tree.sum(over: part, { $0.count == 1 ? terms[$0.lowerBound] : nil }) { a, b in
        a.merging(b) { $0.adding($1) }
      }
    }
    guard peers.size > 1 else {
      return publish(.success(parts[0..<tree.count] ?? [:])) { $0.summed[group] = $1 }
    }
    // A parameter that the loss does not depend on has no gradient: its numbers are zeros, and so is
    // the one behind them.
    let count = parameters.reduce(0) { $0 + $1.count + 1 }
    let arrays = parts.mapValues { gradients in
      var numbers: [Float] = []
      numbers.reserveCapacity(count)
      for parameter in parameters {
        if let gradient = gradients[ObjectIdentifier(parameter)] {
          numbers += gradient.elements
          numbers.append(1)
        } else {
          numbers += repeatElement(0, count: parameter.count + 1)
        }
      }
      return numbers
    }
    peers.sumInSlices(number * buckets.groups.count + group, arrays, count: count, tree) {
      [self] result in
      publish(result) { pass, numbers in
        var sums: [ObjectIdentifier: Tensor] = [:]
        var first = 0
        for parameter in pass.buckets.groups[group] {
          let end = first + parameter.count
          if numbers[end] != 0 {
            sums[ObjectIdentifier(parameter)] = Tensor(
              Array(numbers[first..<end]), shape: parameter.shape)
          }
          first = end + 1
        }
        pass.summed[group] = sums
      }
    }
  }

  // MARK: The end

  /// Waits for all sums, and gives each parameter its gradient.
  func finish() throws -> (score: BatchScore, interrupted: Bool) {
    condition.withLock {
      wait { score != nil && summed.allSatisfy { $0 != nil } }
    }
    if let error { throw error }
    for (parameters, gradients) in zip(buckets.groups, summed) {
      for parameter in parameters {
        parameter.setGradient(gradients?[ObjectIdentifier(parameter)]?.to(device))
      }
    }
    for update in updates { update() }
    let numbers = score ?? []
    let metrics = names.enumerated().map { index, name in
      MetricSum(
        name, sum: Tensor([Float(numbers[4 + 2 * index])]), count: Int(numbers[3 + 2 * index]))
    }
    let loss = Tensor([Float(numbers[2] / numbers[1])], shape: [])
    return (
      BatchScore(loss: loss, count: Int(numbers[1]), metrics: metrics), numbers[0] > 0
    )
  }
}

/// A micro-shard in one pass, used by its thread alone.
private final class ShardOfBatch: BatchShard, GradientReceiver, @unchecked Sendable {
  // Sendable because only one thread uses it.

  private let pass: ShardedPass
  private let index: Int
  private let permit: DispatchSemaphore
  private var sums = 0
  private var draws: [ObjectIdentifier: Int] = [:]
  /// How many gradients by each parameter are still to come.
  private var expected: [ObjectIdentifier: Int] = [:]
  private var gradients: [ObjectIdentifier: Tensor] = [:]
  /// How many gradients of each group are still to come, and which groups are complete.
  private var missing: [Int]
  private var given: Set<Int> = []

  init(_ pass: ShardedPass, _ index: Int, _ permit: DispatchSemaphore) {
    (self.pass, self.index, self.permit) = (pass, index, permit)
    missing = Array(repeating: 0, count: pass.groupCount)
  }

  func sum(_ numbers: [Double]) -> [Double] {
    defer { sums += 1 }
    return pass.sum(index, sums, numbers, permit)
  }

  func seed(from generator: Generator) -> UInt64 {
    let number = draws[ObjectIdentifier(generator), default: 0]
    draws[ObjectIdentifier(generator)] = number + 1
    // Similar seeds give independent masks.
    return pass.word(number, of: generator) &+ UInt64(pass.number(of: index))
  }

  func afterwards(_ update: @escaping () -> Void) {
    // All micro-shards of the process say the same.
    if index == 0 { pass.append(update) }
  }

  func expect(_ parameter: Parameter) {
    guard let group = pass.group(of: parameter) else { return }
    expected[ObjectIdentifier(parameter), default: 0] += 1
    missing[group] += 1
  }

  func receive(_ gradient: Tensor, of parameter: Parameter) {
    guard let group = pass.group(of: parameter) else { return }
    let key = ObjectIdentifier(parameter)
    gradients[key] = gradients[key].map { $0.adding(gradient) } ?? gradient
    missing[group] -= 1
    if missing[group] == 0 { give(group) }
  }

  /// Gives what is left, of parameters that the loss does not depend on or that were not used.
  func finish() {
    for group in 0..<pass.groupCount where !given.contains(group) { give(group) }
  }

  private func give(_ group: Int) {
    guard given.insert(group).inserted else { return }
    let keys = pass.parameters(ofGroup: group).map { ObjectIdentifier($0) }
    pass.received(
      index, group: group,
      Dictionary(uniqueKeysWithValues: keys.compactMap { key in gradients[key].map { (key, $0) } }))
  }
}
