import Dispatch
import Foundation
import LabData
import LabNetworks
import LabProcesses
import LabRandom
import LabTensors

/// Parameters in groups whose gradients travel together.
struct Buckets: @unchecked Sendable {
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
final class ShardedPass: @unchecked Sendable {
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
      parts[part] = tree.sum(
        over: part, { $0.count == 1 ? terms[$0.lowerBound] : nil }, add: added)
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
final class ShardOfBatch: BatchShard, GradientReceiver, @unchecked Sendable {
  // Sendable because only one thread uses it.

  private let pass: ShardedPass
  private let index: Int
  private let permit: DispatchSemaphore
  private var sums = 0
  private var draws: [ObjectIdentifier: Int] = [:]
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
