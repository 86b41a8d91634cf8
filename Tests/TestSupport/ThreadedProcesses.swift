import Foundation
import LabProcesses

/// Processes that are threads of this program, to test how several processes train together.
package final class ThreadedProcess: Communicator, @unchecked Sendable {
  // Sendable because everything that changes is used with the mailbox's lock.

  /// The messages between all of them.
  package final class Mailbox: @unchecked Sendable {
    struct Key: Hashable {
      let from, to: Int
      let kind: ExchangeKind
      let number: Int
    }

    fileprivate let lock = NSLock()
    fileprivate var messages: [Key: any Sendable] = [:]
    fileprivate var waiting: [Key: @Sendable (any Sendable) -> Void] = [:]
    fileprivate let queue = DispatchQueue(label: "mailbox", attributes: .concurrent)
    fileprivate var failure: PeerFailure?
    fileprivate var pending: [@Sendable (PeerFailure) -> Void] = []

    package init() {}

    /// From now on no message arrives any more.
    package func fail(_ failure: PeerFailure) {
      let pending = lock.withLock {
        self.failure = failure
        defer { self.pending = [] }
        return self.pending
      }
      for report in pending { report(failure) }
    }

    fileprivate func put(_ value: any Sendable, _ key: Key) {
      let take = lock.withLock { () -> (@Sendable (any Sendable) -> Void)? in
        if let take = waiting.removeValue(forKey: key) { return take }
        precondition(messages.updateValue(value, forKey: key) == nil, "\(key) was sent twice")
        return nil
      }
      take?(value)
    }

    fileprivate func take(_ key: Key, _ body: @escaping @Sendable (any Sendable) -> Void) {
      let value = lock.withLock { () -> (any Sendable)? in
        if let value = messages.removeValue(forKey: key) { return value }
        precondition(waiting.updateValue(body, forKey: key) == nil, "\(key) is expected twice")
        return nil
      }
      if let value { body(value) }
    }
  }

  package let rank, size: Int
  package let localRank = 0
  package var hosts: [String] { (0..<size).map { "host-\($0)" } }
  package let awaited: [(rank: Int, silence: Duration)] = []
  private let mailbox: Mailbox
  private let lock = NSLock()
  private var number = 0
  private var sent = Traffic()

  package init(rank: Int, of size: Int, _ mailbox: Mailbox) {
    (self.rank, self.size, self.mailbox) = (rank, size, mailbox)
  }

  package var traffic: Traffic { lock.withLock { sent } }
  package func noteWait(_ duration: Duration) { lock.withLock { sent.waited += duration } }

  package func nextNumber() -> Int {
    lock.withLock {
      defer { number += 1 }
      return number
    }
  }

  /// What has arrived of an exchange.
  private final class Arrivals<Number: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var arrays: [Int: [Number]] = [:]
    private var isDone = false

    func add(_ index: Int, _ array: [Number], of count: Int) -> [[Number]]? {
      lock.withLock {
        arrays[index] = array
        guard arrays.count == count, !isDone else { return nil }
        isDone = true
        return (0..<count).map { arrays[$0] ?? [] }
      }
    }

    /// Whether nothing has been reported yet.
    func end() -> Bool {
      lock.withLock {
        defer { isDone = true }
        return !isDone
      }
    }
  }

  package func exchange<Number: BitwiseCopyable & Sendable>(
    _ kind: ExchangeKind, _ number: Int, sends: [(rank: Int, numbers: [Number])],
    receives: [(rank: Int, count: Int)],
    then: @escaping @Sendable (Result<[[Number]], PeerFailure>) -> Void
  ) {
    if let failure = mailbox.lock.withLock({ mailbox.failure }) { return then(.failure(failure)) }
    lock.withLock {
      for send in sends { sent.bytesSent += send.numbers.count * MemoryLayout<Number>.stride }
    }
    for send in sends {
      mailbox.put(
        send.numbers, Mailbox.Key(from: rank, to: send.rank, kind: kind, number: number))
    }
    guard !receives.isEmpty else { return then(.success([])) }
    let arrivals = Arrivals<Number>()
    // It may have failed meanwhile.
    let failure = mailbox.lock.withLock {
      mailbox.pending.append { if arrivals.end() { then(.failure($0)) } }
      return mailbox.failure
    }
    if let failure, arrivals.end() { then(.failure(failure)) }
    let queue = mailbox.queue
    for (index, receive) in receives.enumerated() {
      mailbox.take(Mailbox.Key(from: receive.rank, to: rank, kind: kind, number: number)) {
        let array = $0 as? [Number] ?? []
        precondition(
          array.count == receive.count, "\(kind): \(array.count) numbers for \(receive.count)")
        guard let all = arrivals.add(index, array, of: receives.count) else { return }
        // As with MPI, another thread reports it.
        queue.async { then(.success(all)) }
      }
    }
  }

  /// Calls `body` in each of some processes, and returns the results in their order.
  ///
  /// - Throws: The error of the first process that failed.
  package static func run<Result: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (ThreadedProcess) throws -> Result
  ) throws -> [Result] {
    try results(size, body).map { try $0.get() }
  }

  /// Calls `body` in each of some processes, and returns the results or errors in their order.
  package static func results<Value: Sendable>(
    _ size: Int, mailbox: Mailbox = Mailbox(),
    _ body: @escaping @Sendable (ThreadedProcess) throws -> Value
  ) -> [Result<Value, any Error>] {
    let results = ProcessResults<Value>()
    let group = DispatchGroup()
    for rank in 0..<size {
      group.enter()
      let thread = Thread {
        let result = Result { try body(ThreadedProcess(rank: rank, of: size, mailbox)) }
        results.lock.withLock { results.values[rank] = result }
        group.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    group.wait()
    return results.lock.withLock { (0..<size).compactMap { results.values[$0] } }
  }
}

private final class ProcessResults<Value>: @unchecked Sendable {
  // Sendable because everything that changes is used with `lock` locked.
  let lock = NSLock()
  var values: [Int: Result<Value, any Error>] = [:]
}
