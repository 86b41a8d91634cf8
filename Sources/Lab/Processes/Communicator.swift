import Foundation
import Synchronization

/// The processes that train one model together, and the messages between them.
///
/// Each process has a rank, from 0. All of them make the same exchanges, each kind in the same order.
package protocol Communicator: AnyObject, Sendable {
  /// The number of this process.
  var rank: Int { get }
  /// The number of processes.
  var size: Int { get }
  /// The number of this process among those on its machine.
  var localRank: Int { get }
  /// The machine of each process.
  var hosts: [String] { get }
  /// How many bytes this process has sent, and how long it has waited for others.
  var traffic: Traffic { get }

  /// Sends arrays to other processes and receives some from them. Returns at once.
  ///
  /// - Parameters:
  ///   - kind: What the exchange is for.
  ///   - number: The number of the exchange among those of its kind, the same in all processes.
  ///   - sends: An array for each of some processes.
  ///   - receives: The processes that send an array to this one, and how many numbers each has.
  ///   - then: Called when all of that is done, on a thread of the communicator, with the arrays in
  ///     the order of `receives`; or with the reason why it cannot be done.
  func exchange<Number: BitwiseCopyable & Sendable>(
    _ kind: ExchangeKind, _ number: Int, sends: [(rank: Int, numbers: [Number])],
    receives: [(rank: Int, count: Int)],
    then: @escaping @Sendable (Result<[[Number]], PeerFailure>) -> Void)

  /// The number of the next exchange of ``ExchangeKind/bytes``.
  func nextNumber() -> Int

  /// The processes from which something is expected now, and how long each has been silent.
  var awaited: [(rank: Int, silence: Duration)] { get }

  /// Adds to the time that this process has waited for others.
  func noteWait(_ duration: Duration)
}

/// What processes exchange.
package enum ExchangeKind: Int, CaseIterable, Sendable {
  /// Statistics of batch normalization.
  case sums
  /// Losses and metrics.
  case scores
  /// Parts of gradients, on their way to the process that adds them up.
  case gradients
  /// Sums of gradients, on their way to all processes.
  case gradientSums
  /// Anything else, such as states and predictions.
  case bytes
}

/// How much a process has sent, and how long it has waited for others.
package struct Traffic: Equatable, Sendable {
  package var bytesSent = 0
  package var waited = Duration.zero

  package init() {}
}

/// Why processes cannot go on together: one of them has died, hangs, or cannot be reached.
public struct PeerFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// One line that names the process: `rank 2 on host-3 has not answered for 6 s`.
  public let description: String
  /// The process that cannot be reached; nil if it is not known.
  package let rank: Int?

  package init(_ description: String, of rank: Int? = nil) {
    (self.description, self.rank) = (description, rank)
  }
}

/// A process that trains by itself.
package final class SingleProcess: Communicator {
  package static let shared = SingleProcess()

  package let rank = 0
  package let size = 1
  package let localRank = 0
  package let hosts = [ProcessInfo.processInfo.hostName]
  package let traffic = Traffic()
  package let awaited: [(rank: Int, silence: Duration)] = []

  package init() {}

  package func nextNumber() -> Int { 0 }

  package func exchange<Number: BitwiseCopyable & Sendable>(
    _ kind: ExchangeKind, _ number: Int, sends: [(rank: Int, numbers: [Number])],
    receives: [(rank: Int, count: Int)],
    then: @escaping @Sendable (Result<[[Number]], PeerFailure>) -> Void
  ) {
    precondition(sends.isEmpty && receives.isEmpty, "there is no other process")
    then(.success([]))
  }

  package func noteWait(_ duration: Duration) {}
}

/// The processes of this program: one, unless it was started by `mpirun`.
package enum Processes {
  private static let communicator = Mutex<any Communicator>(SingleProcess.shared)

  package static var current: any Communicator {
    get { communicator.withLock { $0 } }
    set { communicator.withLock { $0 = newValue } }
  }
}

extension Communicator {
  /// The other processes.
  package var others: [Int] { (0..<size).filter { $0 != rank } }

  /// A process in words: `rank 2 on host-3`.
  package func name(of rank: Int) -> String { "rank \(rank) on \(hosts[rank])" }

  /// An exchange of ``ExchangeKind/bytes`` whose result is waited for.
  private func exchange<Number: BitwiseCopyable & Sendable>(
    sends: [(rank: Int, numbers: [Number])], receives: [(rank: Int, count: Int)]
  ) throws(PeerFailure) -> [[Number]] {
    let pending = Pending<[[Number]]>()
    exchange(.bytes, nextNumber(), sends: sends, receives: receives) { pending.fulfill($0) }
    return try pending.value(noting: self)
  }

  /// The array of each process, in the order of ranks.
  ///
  /// - Parameter array: That of this process; others may have another length.
  package func gather<Number: BitwiseCopyable & Sendable>(
    _ array: [Number]
  ) throws(PeerFailure) -> [[Number]] {
    let others = others
    let counts = try exchange(
      sends: others.map { ($0, [array.count]) }, receives: others.map { ($0, 1) })
    var all = try exchange(
      sends: others.map { ($0, array) }, receives: zip(others, counts).map { ($0, $1[0]) })
    all.insert(array, at: rank)
    return all
  }

  /// The bytes of process 0.
  ///
  /// - Parameter bytes: Those of process 0; other processes may give none.
  package func broadcast(_ bytes: [UInt8]) throws(PeerFailure) -> [UInt8] {
    guard rank > 0 else {
      let others = others
      let _: [[Int]] = try exchange(
        sends: others.map { ($0, [bytes.count]) }, receives: [])
      let _: [[UInt8]] = try exchange(sends: others.map { ($0, bytes) }, receives: [])
      return bytes
    }
    let counts: [[Int]] = try exchange(sends: [], receives: [(0, 1)])
    let arrays: [[UInt8]] = try exchange(sends: [], receives: [(0, counts[0][0])])
    return arrays[0]
  }

  /// Waits until all processes have come here.
  package func barrier() throws(PeerFailure) {
    _ = try gather([UInt8]())
  }

  /// Whether a condition holds in any process.
  package func any(_ condition: Bool) throws(PeerFailure) -> Bool {
    let others = others
    let flags = try exchange(
      sends: others.map { ($0, [UInt8(condition ? 1 : 0)]) },
      receives: others.map { ($0, 1) })
    return condition || flags.contains { $0[0] != 0 }
  }
}

/// A value that another thread will give.
package final class Pending<Value: Sendable>: Sendable {
  private let condition = NSCondition()
  private let result = Mutex<Result<Value, PeerFailure>?>(nil)

  package init() {}

  package func fulfill(_ value: Result<Value, PeerFailure>) {
    condition.withLock {
      result.withLock { $0 = value }
      condition.broadcast()
    }
  }

  /// Waits for the value, and notes how long that took.
  package func value(noting communicator: any Communicator) throws(PeerFailure) -> Value {
    let start = ContinuousClock.now
    let value = condition.withLock {
      while true {
        if let value = result.withLock({ $0 }) { return value }
        condition.wait()
      }
    }
    communicator.noteWait(start.duration(to: .now))
    return try value.get()
  }
}
