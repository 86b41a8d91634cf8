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
  private let threads = ShardThreads()
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
    let parts = plan.rows.map(batch.rows)
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
    let parts = plan.rows.map(batch.rows)
    let results = Results<(Tensor, Batch, BatchScore)>()
    nonisolated(unsafe) let (unsafeModel, unsafeObjective) = (model, objective)
    threads.run(plan.shards.count, isOneAtATime: device.isGPU) { index, _ in
      results.set(index) {
        OperationObservation.observer?.forwardBegins()
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
    let all = try processes.gather(numbers).map { numbers in
      stride(from: 0, to: numbers.count, by: each).map {
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
      ("averaging", state.averaging?.words ?? "no averaged weights"),
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
