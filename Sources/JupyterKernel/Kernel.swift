import Foundation
import Literate
import Synchronization

/// Answers the requests of front ends. It knows nothing of sockets: messages come and go as lists of
/// parts.
///
/// Cells are executed one after the other on a thread of their own, so that requests are answered and
/// an execution can be interrupted while a cell runs.
package final class Kernel: Sendable {
  /// A channel of a kernel.
  package enum Channel: Sendable {
    case shell, control
    /// What all front ends get.
    case broadcast
  }

  private let signer: Signer
  private let identifier = UUID().uuidString
  private let send: @Sendable (Channel, [[UInt8]]) -> Void
  private let state = Mutex(State())
  private let work = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  private struct State {
    /// The executions that wait.
    var waiting: [Message] = []
    /// The execution in progress.
    var current: Message?
    var isInterrupted = false
    var isOver = false
    var history: [(line: Int, code: String)] = []
  }

  /// - Parameters:
  ///   - key: The key that signs messages.
  ///   - send: Sends the parts of a message; called by several threads. It may wait.
  package init(key: String, send: @escaping @Sendable (Channel, [[UInt8]]) -> Void) {
    signer = Signer(key: key)
    self.send = send
  }

  /// Starts the thread that executes cells.
  ///
  /// - Parameters:
  ///   - program: The path of the kernel's program, which is in the package's folder.
  ///   - swift: The path of `swift`; `nil` to look for it.
  ///   - parameters: The parameters of notebooks, such as `quick=true seed=7`.
  package func start(program: URL, swift: String?, parameters: String) {
    let thread = Thread { [self] in executeAll(program, swift, parameters) }
    thread.stackSize = 8 << 20
    thread.start()
    publish("status", ["execution_state": "starting"], parent: nil)
  }

  // MARK: Requests

  /// Answers a message, or puts it into the queue.
  ///
  /// - Returns: Whether the kernel goes on.
  package func receive(_ frames: [[UInt8]], on channel: Channel) -> Bool {
    let message: Message
    do {
      message = try Message(frames, signer)
    } catch {
      Self.log("dropped: \(error)")
      return true
    }
    switch message.type {
    case "execute_request":
      state.withLock { $0.waiting.append(message) }
      work.signal()
    case "shutdown_request":
      answer(
        message, on: channel, "shutdown_reply",
        ["status": "ok", "restart": .bool(message.content["restart"]?.bool ?? false)])
      return false
    case "interrupt_request":
      state.withLock { if $0.current != nil { $0.isInterrupted = true } }
      answer(message, on: channel, "interrupt_reply", ["status": "ok"])
    default:
      guard let (type, content) = reply(to: message) else { return true }
      answer(message, on: channel, type, content)
    }
    return true
  }

  /// Ends the execution in progress, and waits a moment for its end.
  package func stop() {
    state.withLock {
      $0.isOver = true
      $0.isInterrupted = true
      $0.waiting = []
    }
    work.signal()
    _ = ended.wait(timeout: .now() + 5)
  }

  private func answer(_ message: Message, on channel: Channel, _ type: String, _ content: JSON) {
    publish("status", ["execution_state": "busy"], parent: message)
    send(type, content, to: message, on: channel)
    publish("status", ["execution_state": "idle"], parent: message)
    // Front ends show the last status that they got.
    if let current = state.withLock({ $0.current }) {
      publish("status", ["execution_state": "busy"], parent: current)
    }
  }

  /// The reply to a request that needs no execution; `nil` if there is none.
  private func reply(to message: Message) -> (type: String, content: JSON)? {
    switch message.type {
    case "kernel_info_request": return ("kernel_info_reply", Self.information)
    case "is_complete_request":
      let isComplete = isCompleteSwift(message.content["code"]?.string ?? "")
      return (
        "is_complete_reply",
        isComplete ? ["status": "complete"] : ["status": "incomplete", "indent": "  "]
      )
    case "complete_request":
      let place = JSON.integer(message.content["cursor_pos"]?.integer ?? 0)
      return (
        "complete_reply",
        [
          "status": "ok", "matches": [], "cursor_start": place, "cursor_end": place,
          "metadata": [:],
        ]
      )
    case "inspect_request":
      return ("inspect_reply", ["status": "ok", "found": false, "data": [:], "metadata": [:]])
    case "history_request":
      let limit = message.content["n"]?.integer ?? 1000
      let lines = state.withLock { $0.history.suffix(max(0, limit)) }
      return (
        "history_reply",
        [
          "status": "ok",
          "history": .array(lines.map { [0, .integer($0.line), .string($0.code)] }),
        ]
      )
    case "comm_info_request": return ("comm_info_reply", ["status": "ok", "comms": [:]])
    default: return nil
    }
  }

  private static let information: JSON = [
    "status": "ok", "protocol_version": .string(Message.version), "implementation": "lab-kernel",
    "implementation_version": "1.0",
    "banner": "Swift: a cell's run is the notebook run to that cell.",
    "language_info": [
      "name": "swift", "version": "6", "mimetype": "text/x-swift", "file_extension": ".swift",
      "pygments_lexer": "swift", "codemirror_mode": "swift", "nbconvert_exporter": "script",
    ],
    "help_links": [],
  ]

  // MARK: Executions

  /// The package and the folder of this kernel, made for the first cell: what is missing there is
  /// shown in the notebook.
  private func runner(_ program: URL, _ swift: String?, _ parameters: String) throws -> CellRunner {
    do {
      let package = try KernelPackage(of: program, swift: swift)
      return CellRunner(
        package, try SessionFolder(in: package.folder),
        parameters: try Magic.parameters(in: parameters),
        isInterrupted: { self.state.withLock { $0.isInterrupted } })
    } catch {
      throw CellError("Cannot run", "\(error)")
    }
  }

  private func executeAll(_ program: URL, _ swift: String?, _ parameters: String) {
    var runner: CellRunner?
    var count = 0
    while true {
      work.wait()
      let (next, isOver) = state.withLock { state -> (Message?, Bool) in
        guard !state.isOver, !state.waiting.isEmpty else { return (nil, state.isOver) }
        state.isInterrupted = false
        state.current = state.waiting.removeFirst()
        return (state.current, false)
      }
      if isOver { break }
      guard let next else { continue }
      publish("status", ["execution_state": "busy"], parent: next)
      let refused = execute(next, &count) {
        let made = try runner ?? self.runner(program, swift, parameters)
        runner = made
        return made
      }
      state.withLock { $0.current = nil }
      publish("status", ["execution_state": "idle"], parent: next)
      abort(refused)
    }
    ended.signal()
  }

  /// Executes the cell of a request.
  ///
  /// - Returns: The executions to refuse after an error: those that waited when the front end could not
  ///   yet know of it.
  private func execute(
    _ request: Message, _ count: inout Int, on runner: () throws -> CellRunner
  ) -> [Message] {
    let code = withUnixLineEnds(request.content["code"]?.string ?? "")
    let isSilent = request.content["silent"]?.bool ?? false
    let isKept = !isSilent && request.content["store_history"]?.bool ?? true
    let isEmpty = code.allSatisfy(\.isWhitespace)
    if isKept, !isEmpty {
      count += 1
      let line = count
      state.withLock { $0.history.append((line, code)) }
    }
    let number = count
    func show(_ type: String, _ content: JSON) {
      if !isSilent { publish(type, content, parent: request) }
    }
    show("execute_input", ["code": .string(code), "execution_count": .integer(number)])
    var error: CellError?
    var refused: [Message] = []
    do {
      if !isEmpty {
        let cell = CellList.Cell(
          id: request.metadata["cellId"]?.string, code: code, count: number,
          isExpectedToFail: request.content["stop_on_error"]?.bool == false)
        _ = try runner().execute(
          cell, deleted: request.metadata["deletedCells"]?.strings ?? [], isKept: !isSilent
        ) { output in
          switch output {
          case .text(let name, let text):
            show("stream", ["name": .string(name), "text": .string(text)])
          case .figure(let figure, let png): show("display_data", Self.data(of: figure, png))
          case .error(let caught):
            error = caught
            show("error", Self.content(of: caught))
          }
        }
      }
    } catch let caught {
      let caught = caught as? CellError ?? CellError("Error", "\(caught)")
      error = caught
      if request.content["stop_on_error"]?.bool ?? true {
        refused = state.withLock { state in
          defer { state.waiting = [] }
          return state.waiting
        }
      }
      show("error", Self.content(of: caught))
    }
    var reply: [String: JSON] = ["status": "ok", "user_expressions": [:], "payload": []]
    if let error {
      reply = ["status": "error"]
      if case .object(let fields) = Self.content(of: error) { reply.merge(fields) { $1 } }
    }
    reply["execution_count"] = .integer(number)
    send("execute_reply", .object(reply), to: request, on: .shell)
    return refused
  }

  private func abort(_ waiting: [Message]) {
    for request in waiting {
      publish("status", ["execution_state": "busy"], parent: request)
      send("execute_reply", ["status": "aborted"], to: request, on: .shell)
      publish("status", ["execution_state": "idle"], parent: request)
    }
  }

  private static func content(of error: CellError) -> JSON {
    [
      "ename": .string(error.name), "evalue": .string(error.message),
      "traceback": .array(error.traceback.map { .string($0) }),
    ]
  }

  private static func data(of figure: Page.Figure, _ png: Data) -> JSON {
    let text = JSON.string(plainText(figure.alternativeText))
    return [
      "data": ["image/png": .string(png.base64EncodedString()), "text/plain": text],
      "metadata": [
        "image/png": [
          "width": .integer(figure.width), "height": .integer(figure.height), "alt": text,
        ]
      ],
      "transient": [:],
    ]
  }

  // MARK: Messages

  private func publish(_ type: String, _ content: JSON, parent: Message?) {
    emit(type, content, [Array("kernel.\(identifier).\(type)".utf8)], parent, .broadcast)
  }

  private func send(_ type: String, _ content: JSON, to request: Message, on channel: Channel) {
    emit(type, content, request.identities, request, channel)
  }

  private func emit(
    _ type: String, _ content: JSON, _ identities: [[UInt8]], _ parent: Message?,
    _ channel: Channel
  ) {
    do {
      send(
        channel,
        try Message.frames(
          type, content, to: identities, parent: parent, session: identifier, signer))
    } catch {
      Self.log("\(error)")
    }
  }

  private static func log(_ text: String) {
    // Jupyter shows the standard error of kernels in its own log.
    try? FileHandle.standardError.write(contentsOf: Data("lab-kernel: \(text)\n".utf8))
  }
}
