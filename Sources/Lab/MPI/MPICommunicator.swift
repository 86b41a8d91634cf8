#if MPI
  internal import CMPI
  import Foundation
  import LabProcesses
  import Synchronization

  /// Processes that were started by `mpirun`, or by another launcher of MPI.
  ///
  /// One thread makes all calls of MPI. It sends and receives messages while other threads compute, and it
  /// sends a heartbeat to each process four times a second. If a message is expected from a process whose
  /// heartbeats have stopped for ``timeout``, training fails with ``PeerFailure``.
  package final class MPICommunicator: Communicator {
    package let rank, size, localRank: Int
    package let hosts: [String]
    /// The library and its version, such as `Open MPI v4.1.4`.
    package let library: String
    /// How long a process may be silent.
    package let timeout: Duration

    private let queue: Queue
    private let waited = Mutex(Duration.zero)
    private let numbers = Mutex(0)

    /// Starts MPI. A program calls this once.
    ///
    /// - Parameter timeout: How long a process may be silent.
    /// - Throws: ``PeerFailure`` with the library's error message.
    package init(timeout: Duration) throws(PeerFailure) {
      let queue = Queue()
      let thread = Thread { run(queue, timeout: timeout) }
      thread.name = "MPI"
      thread.stackSize = 8 << 20
      thread.start()
      let world = try queue.world()
      (rank, size, localRank) = (world.rank, world.size, world.localRank)
      (hosts, library) = (world.hosts, world.library)
      (self.queue, self.timeout) = (queue, timeout)
    }

    package var traffic: Traffic {
      var traffic = Traffic()
      traffic.bytesSent = queue.bytesSent
      traffic.waited = waited.withLock { $0 }
      return traffic
    }

    package var awaited: [(rank: Int, silence: Duration)] { queue.awaited }

    package func nextNumber() -> Int {
      numbers.withLock { number in
        defer { number += 1 }
        return number
      }
    }

    package func noteWait(_ duration: Duration) {
      waited.withLock { $0 += duration }
    }

    package func exchange<Number: BitwiseCopyable & Sendable>(
      _ kind: ExchangeKind, _ number: Int, sends: [(rank: Int, numbers: [Number])],
      receives: [(rank: Int, count: Int)],
      then: @escaping @Sendable (Result<[[Number]], PeerFailure>) -> Void
    ) {
      guard !sends.isEmpty || !receives.isEmpty else { return then(.success([])) }
      let stride = MemoryLayout<Number>.stride
      let incoming = receives.map {
        (rank: $0.rank, block: Block(count: $0.count * stride))
      }
      queue.add(
        Transfer(
          kind: kind, number: number,
          sends: sends.map { (rank: $0.rank, block: Block(copying: $0.numbers)) },
          receives: incoming
        ) { failure in
          if let failure { return then(.failure(failure)) }
          then(.success(incoming.map { $0.block.numbers() }))
        })
    }

    /// Ends MPI when all processes have come here.
    package func stop() {
      try? barrier()
      queue.close(abort: nil)
    }

    /// Ends all processes at once.
    ///
    /// - Parameter status: The exit status.
    package func abort(status: Int32) {
      queue.close(abort: status)
    }
  }

  /// What the thread of MPI finds out at its start.
  private struct World: Sendable {
    var rank = 0
    var size = 1
    var localRank = 0
    var hosts: [String] = []
    var library = ""
  }

  /// Bytes of a message.
  private final class Block: @unchecked Sendable {
    // Sendable because it is written by one thread before another one reads it.
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
      bytes = .allocate(byteCount: count, alignment: 64)
    }

    convenience init<Number: BitwiseCopyable>(copying numbers: [Number]) {
      self.init(count: numbers.count * MemoryLayout<Number>.stride)
      numbers.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }

    /// The bytes as numbers.
    func numbers<Number: BitwiseCopyable>() -> [Number] {
      let count = bytes.count / MemoryLayout<Number>.stride
      return [Number](unsafeUninitializedCapacity: count) { numbers, filled in
        UnsafeMutableRawBufferPointer(numbers).copyMemory(from: UnsafeRawBufferPointer(bytes))
        filled = count
      }
    }

    deinit { bytes.deallocate() }
  }

  /// An exchange that was asked for.
  private struct Transfer: Sendable {
    let kind: ExchangeKind
    let number: Int
    let sends: [(rank: Int, block: Block)]
    let receives: [(rank: Int, block: Block)]
    /// Called at the end, with the reason if it failed.
    let then: @Sendable (PeerFailure?) -> Void
  }

  /// What other threads ask of the thread of MPI.
  private final class Queue: @unchecked Sendable {
    // Sendable because everything that changes is used with `condition` locked.
    private let condition = NSCondition()
    private var transfers: [Transfer] = []
    private var start: Result<World, PeerFailure>?
    private var isClosed = false
    private var status: Int32?
    private var hasEnded = false
    private var sent = 0
    private var waitedFor: [(rank: Int, silence: Duration)] = []

    /// The processes from which something is expected.
    var awaited: [(rank: Int, silence: Duration)] {
      get { condition.withLock { waitedFor } }
      set { condition.withLock { waitedFor = newValue } }
    }

    var bytesSent: Int { condition.withLock { sent } }

    /// Waits until MPI has been started.
    func world() throws(PeerFailure) -> World {
      try condition.withLock {
        while true {
          if let start { return start }
          condition.wait()
        }
      }.get()
    }

    func begin(_ result: Result<World, PeerFailure>) {
      condition.withLock {
        start = result
        condition.broadcast()
      }
    }

    func add(_ transfer: Transfer) {
      condition.withLock {
        transfers.append(transfer)
        sent += transfer.sends.reduce(0) { $0 + $1.block.bytes.count }
        condition.broadcast()
      }
    }

    /// Asks the thread to end, and waits until it has; a library that hangs is not waited for.
    func close(abort status: Int32?) {
      condition.withLock {
        isClosed = true
        self.status = status
        condition.broadcast()
        let limit = Date.now + 3
        while !hasEnded, condition.wait(until: limit) {}
      }
    }

    func end() {
      condition.withLock {
        hasEnded = true
        condition.broadcast()
      }
    }

    /// What was asked for since the last call; waits a little if there is nothing to do.
    func take(isIdle: Bool) -> (transfers: [Transfer], end: (isClosed: Bool, status: Int32?)) {
      condition.withLock {
        if isIdle, transfers.isEmpty, !isClosed { _ = condition.wait(until: .now + 0.02) }
        defer { transfers = [] }
        return (transfers, (isClosed, status))
      }
    }
  }

  /// What the thread of MPI does.
  private func run(_ queue: Queue, timeout: Duration) {
    defer { queue.end() }
    do throws(PeerFailure) {
      let world = try start()
      queue.begin(.success(world))
      Messages(world, timeout: timeout).run(queue)
    } catch {
      queue.begin(.failure(error))
    }
  }

  private func start() throws(PeerFailure) -> World {
    try check(lab_mpi_start(), "cannot start MPI")
    var world = World()
    world.rank = Int(lab_mpi_rank())
    world.size = Int(lab_mpi_size())
    world.localRank = Int(lab_mpi_local_rank())
    var names = [CChar](repeating: 0, count: world.size * Int(lab_mpi_name_size))
    try check(lab_mpi_hosts(&names), "cannot tell the machines of the processes")
    world.hosts = (0..<world.size).map { rank in
      let name = names[rank * Int(lab_mpi_name_size)..<(rank + 1) * Int(lab_mpi_name_size)]
      return text(Array(name))
    }
    var library = [CChar](repeating: 0, count: Int(lab_mpi_library_size))
    lab_mpi_library(&library)
    world.library =
      text(library).split(whereSeparator: { ",\n".contains($0) }).first.map {
        String($0.map { $0 == "\t" ? " " : $0 })
      } ?? "MPI"
    return world
  }

  private func check(_ error: Int32, _ what: String) throws(PeerFailure) {
    guard error != 0 else { return }
    throw PeerFailure("\(what): \(words(for: error))")
  }

  /// What an error code of MPI means.
  private func words(for error: Int32) -> String {
    var words = [CChar](repeating: 0, count: Int(lab_mpi_error_size))
    lab_mpi_error(error, &words)
    return text(words)
  }

  private func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The messages on their way; used by the thread of MPI alone.
  private final class Messages {
    /// A message that MPI sends or receives.
    private final class Message {
      let rank: Int
      let block: Block
      let isIncoming: Bool
      var request = lab_request()
      var isDone = false

      init(_ rank: Int, _ block: Block, isIncoming: Bool) {
        (self.rank, self.block, self.isIncoming) = (rank, block, isIncoming)
      }
    }

    /// A transfer and its messages.
    private struct Open {
      let transfer: Transfer
      let messages: [Message]
    }

    private let world: World
    private let timeout: Duration
    private var open: [Open] = []
    private var failure: PeerFailure?

    /// When each process was heard of last.
    private var heard: [ContinuousClock.Instant]
    private var heartbeats: [(incoming: Message, outgoing: Message?)] = []
    private var lastHeartbeat = ContinuousClock.now
    /// How often MPI has been asked in vain.
    private var idleRounds = 0

    private static var heartbeatTag: Int32 { 32_000 }
    /// MPI promises tags of up to 32,767.
    private static var tagsOfKind: Int { 4_000 }

    init(_ world: World, timeout: Duration) {
      (self.world, self.timeout) = (world, timeout)
      heard = Array(repeating: .now, count: world.size)
    }

    /// Until the queue is closed.
    func run(_ queue: Queue) {
      for rank in 0..<world.size {
        heartbeats.append((Message(rank, Block(count: 1), isIncoming: true), nil))
        if rank != world.rank { receive(heartbeats[rank].incoming, tag: Self.heartbeatTag) }
      }
      while true {
        let (transfers, end) = queue.take(isIdle: open.isEmpty)
        if end.isClosed {
          finish(end.status)
          return
        }
        for transfer in transfers { begin(transfer) }
        let hasMoved = progress()
        exchangeHeartbeats()
        checkSilence(queue)
        idleRounds = hasMoved || !transfers.isEmpty ? 0 : idleRounds + 1
        // Processors may have other work, such as other processes of this training.
        if !open.isEmpty {
          if idleRounds < 20 { sched_yield() } else { usleep(50) }
        }
      }
    }

    private func begin(_ transfer: Transfer) {
      if let failure { return transfer.then(failure) }
      let number = transfer.number % Self.tagsOfKind
      let tag = Int32(transfer.kind.rawValue * Self.tagsOfKind + number)
      let incoming = transfer.receives.map { Message($0.rank, $0.block, isIncoming: true) }
      let outgoing = transfer.sends.map { Message($0.rank, $0.block, isIncoming: false) }
      for message in incoming { receive(message, tag: tag) }
      for message in outgoing { send(message, tag: tag) }
      if let failure {
        // MPI may still use their memory.
        abandoned += incoming + outgoing
        return transfer.then(failure)
      }
      open.append(Open(transfer: transfer, messages: incoming + outgoing))
    }

    private func receive(_ message: Message, tag: Int32) {
      let error = lab_mpi_receive(
        message.block.bytes.baseAddress, Int32(message.block.bytes.count), Int32(message.rank), tag,
        &message.request)
      if error != 0 { fail(message.rank, words(for: error)) }
    }

    private func send(_ message: Message, tag: Int32) {
      let error = lab_mpi_send(
        message.block.bytes.baseAddress, Int32(message.block.bytes.count), Int32(message.rank), tag,
        &message.request)
      if error != 0 { fail(message.rank, words(for: error)) }
    }

    /// Asks for all messages whether they are done.
    ///
    /// - Returns: Whether one of them is.
    private func progress() -> Bool {
      var hasMoved = false
      for transfer in open {
        for message in transfer.messages where !message.isDone {
          guard test(message) else { continue }
          hasMoved = true
        }
      }
      // What is called may ask for more, but not of this thread.
      let done = open.filter { $0.messages.allSatisfy(\.isDone) }
      open.removeAll { $0.messages.allSatisfy(\.isDone) }
      for open in done { open.transfer.then(failure) }
      return hasMoved
    }

    private func test(_ message: Message) -> Bool {
      var flag: Int32 = 0
      let error = lab_mpi_test(&message.request, &flag)
      if error != 0 {
        fail(message.rank, words(for: error))
        return false
      }
      guard flag != 0 else { return false }
      message.isDone = true
      if message.isIncoming { heard[message.rank] = .now }
      return true
    }

    private func exchangeHeartbeats() {
      guard failure == nil else { return }
      let isTime = lastHeartbeat.duration(to: .now) > .milliseconds(250)
      if isTime { lastHeartbeat = .now }
      for rank in 0..<world.size where rank != world.rank {
        if test(heartbeats[rank].incoming) {
          heartbeats[rank].incoming = Message(rank, Block(count: 1), isIncoming: true)
          receive(heartbeats[rank].incoming, tag: Self.heartbeatTag)
        }
        // The next one is sent when the last one has left, so that they do not pile up.
        if let heartbeat = heartbeats[rank].outgoing, test(heartbeat) {
          heartbeats[rank].outgoing = nil
        }
        if isTime, heartbeats[rank].outgoing == nil {
          let heartbeat = Message(rank, Block(count: 1), isIncoming: false)
          heartbeat.block.bytes[0] = 1
          send(heartbeat, tag: Self.heartbeatTag)
          heartbeats[rank].outgoing = heartbeat
        }
      }
    }

    /// Fails if a message is expected from a process whose heartbeats have stopped.
    private func checkSilence(_ queue: Queue) {
      guard failure == nil, idleRounds > 100, idleRounds.isMultiple(of: 100) else { return }
      let messages = open.flatMap { $0.messages }.filter { !$0.isDone }
      let ranks = Set(messages.map(\.rank)).sorted()
      queue.awaited = ranks.map { ($0, heard[$0].duration(to: .now)) }
      for rank in ranks where heard[rank].duration(to: .now) > timeout {
        return fail(rank, "has not answered for \(timeout.components.seconds) s")
      }
    }

    private func fail(_ rank: Int, _ reason: String) {
      guard failure == nil else { return }
      let failure = PeerFailure("rank \(rank) on \(world.hosts[rank]) \(reason)", of: rank)
      self.failure = failure
      let all = open
      open = []
      // MPI may still use their memory.
      abandoned += all.flatMap(\.messages)
      for open in all { open.transfer.then(failure) }
    }
    private var abandoned: [Message] = []

    private func finish(_ status: Int32?) {
      if let status {
        lab_mpi_abort(status)
        return
      }
      guard failure == nil else { return }
      for (rank, heartbeat) in heartbeats.enumerated() where rank != world.rank {
        // None follows: all processes have come to the end.
        lab_mpi_cancel(&heartbeat.incoming.request)
      }
      lab_mpi_stop()
    }
  }
#endif
