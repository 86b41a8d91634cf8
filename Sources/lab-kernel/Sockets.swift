import CZeroMQ
import Foundation
import JupyterKernel
import Synchronization

/// The ZeroMQ sockets of a kernel. One thread uses them; others leave messages in a queue.
final class Sockets {
  private let context: UnsafeMutableRawPointer
  private let shell: UnsafeMutableRawPointer
  private let control: UnsafeMutableRawPointer
  private let input: UnsafeMutableRawPointer
  private let broadcast: UnsafeMutableRawPointer
  private let heartbeat: UnsafeMutableRawPointer
  private let queue: SendQueue

  /// Binds the sockets to the addresses of a connection file.
  ///
  /// - Throws: ``KernelError`` with ZeroMQ's reason.
  init(_ file: ConnectionFile, _ queue: SendQueue) throws {
    guard let context = zmq_ctx_new() else { throw Self.error("start") }
    self.context = context
    self.queue = queue
    func socket(_ kind: Int32, _ port: Int) throws -> UnsafeMutableRawPointer {
      let address = file.address(port)
      guard let socket = zmq_socket(context, kind) else { throw Self.error("open a socket") }
      // The last replies may take a moment, but nobody waits for them for ever.
      var milliseconds: Int32 = 1000
      zmq_setsockopt(socket, ZMQ_LINGER, &milliseconds, MemoryLayout<Int32>.size)
      // A front end that reads slowly must not miss output.
      var count: Int32 = 100_000
      zmq_setsockopt(socket, ZMQ_SNDHWM, &count, MemoryLayout<Int32>.size)
      guard zmq_bind(socket, address) == 0 else { throw Self.error("listen at \(address)") }
      return socket
    }
    shell = try socket(ZMQ_ROUTER, file.shell_port)
    control = try socket(ZMQ_ROUTER, file.control_port)
    input = try socket(ZMQ_ROUTER, file.stdin_port)
    broadcast = try socket(ZMQ_PUB, file.iopub_port)
    heartbeat = try socket(ZMQ_REP, file.hb_port)
  }

  private static func error(_ action: String) -> KernelError {
    KernelError("ZeroMQ cannot \(action): \(String(cString: zmq_strerror(zmq_errno())))")
  }

  /// Serves the kernel until it ends, or until the process that started it has ended.
  func serve(_ kernel: Kernel) {
    let parent = getppid()
    let sockets = [control, shell, heartbeat, input]
    var items = sockets.map {
      zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }
    items.append(
      zmq_pollitem_t(socket: nil, fd: queue.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    var goesOn = true
    while goesOn, getppid() == parent {
      guard zmq_poll(&items, Int32(items.count), 2000) >= 0 || zmq_errno() == EINTR else { break }
      for (index, socket) in sockets.enumerated() where items[index].revents != 0 && goesOn {
        guard let frames = receive(socket) else { continue }
        switch socket {
        case shell: goesOn = kernel.receive(frames, on: .shell)
        case control: goesOn = kernel.receive(frames, on: .control)
        case heartbeat: send(frames, on: heartbeat)
        default: break
        }
      }
      sendQueued()
    }
    kernel.stop()
    sendQueued()
  }

  /// Closes the sockets, when what was sent has left.
  func close() {
    for socket in [shell, control, input, broadcast, heartbeat] { zmq_close(socket) }
    zmq_ctx_term(context)
  }

  private func sendQueued() {
    for (channel, frames) in queue.take() {
      switch channel {
      case .shell: send(frames, on: shell)
      case .control: send(frames, on: control)
      case .broadcast: send(frames, on: broadcast)
      }
    }
  }

  private func send(_ frames: [[UInt8]], on socket: UnsafeMutableRawPointer) {
    for (index, frame) in frames.enumerated() {
      let more = index < frames.count - 1 ? ZMQ_SNDMORE : 0
      // A front end that has gone gets nothing.
      guard zmq_send(socket, frame, frame.count, more | ZMQ_DONTWAIT) >= 0 else { return }
    }
  }

  /// The parts of a message; `nil` if there is none, or if it is too large.
  private func receive(_ socket: UnsafeMutableRawPointer) -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    var size = 0
    while true {
      var message = zmq_msg_t()
      zmq_msg_init(&message)
      defer { zmq_msg_close(&message) }
      guard zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0 else { return nil }
      let count = zmq_msg_size(&message)
      size += count
      if size <= 1 << 26, frames.count < 1000 {
        frames.append(
          Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: count)))
      }
      if zmq_msg_more(&message) == 0 { break }
    }
    return size <= 1 << 26 ? frames : nil
  }
}

/// Messages that other threads leave for the thread of the sockets.
final class SendQueue: Sendable {
  private let messages = Mutex<[(Kernel.Channel, [[UInt8]])]>([])
  private let pipe = Pipe()

  init() {
    for end in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
      let number = end.fileDescriptor
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
      _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }
  }

  /// Can be read if there are messages.
  var descriptor: Int32 { pipe.fileHandleForReading.fileDescriptor }

  func add(_ channel: Kernel.Channel, _ frames: [[UInt8]]) {
    messages.withLock { $0.append((channel, frames)) }
    var byte: UInt8 = 1
    // A full pipe wakes the reader, too.
    _ = write(pipe.fileHandleForWriting.fileDescriptor, &byte, 1)
  }

  func take() -> [(Kernel.Channel, [[UInt8]])] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    _ = read(descriptor, &bytes, bytes.count)
    return messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
