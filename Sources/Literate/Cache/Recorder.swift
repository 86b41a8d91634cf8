import Foundation
import StandardStreams
import Synchronization

/// What a notebook printed and reported while a result was computed, in order.
enum RecordedOutput: Codable, Equatable {
  /// Bytes written to a stream: they may begin or end within a character.
  case bytes(Data, Page.Stream)
  /// A figure, and the name under which its file is stored.
  case figure(Page.Figure, file: String, showsTimes: Bool)
  /// Another event, and the name under which the file of its figure is stored, if it has one.
  case event(Event, file: String?)
}

/// Records the output of a part of a program.
final class Recorder: Sendable {
  private let state = Mutex(State())

  private struct State {
    var outputs: [RecordedOutput] = []
    /// The files of figures, by name.
    var files: [String: Data] = [:]
    var isPaused = false
    /// The size of the text so far.
    var size = 0
  }

  /// The recorders at work: a part of a program may have parts of its own.
  private static let active = Mutex<[Recorder]>([])

  /// The largest text that is recorded: of an endless output the last part is not worth keeping.
  static let limit = 1 << 28

  init() {}

  /// Begins to record.
  func start() {
    Self.active.withLock { $0.append(self) }
    StandardStreams.listen { descriptor, bytes, count in
      guard let bytes, count > 0 else { return }
      let data = Data(bytes: bytes, count: count)
      let recorders = Recorder.active.withLock { $0 }
      for recorder in recorders {
        recorder.add(data, descriptor == 1 ? .standardOutput : .standardError)
      }
    }
  }

  /// Ends recording.
  func stop() {
    fflush(nil)
    Self.active.withLock { recorders in recorders.removeAll { $0 === self } }
  }

  /// Whether output is being recorded.
  static var isRecording: Bool { active.withLock { !$0.isEmpty } }

  /// Adds a figure or another event to all recorders at work.
  ///
  /// - Parameters:
  ///   - png: The contents of the figure's file, if there is a figure.
  ///   - output: Makes the output from the name under which the file is stored.
  static func add(png: Data? = nil, _ output: (_ file: String?) -> RecordedOutput) {
    let recorders = active.withLock { $0 }
    guard !recorders.isEmpty else { return }
    // What was printed before comes before it.
    fflush(nil)
    for recorder in recorders {
      recorder.state.withLock { state in
        guard !state.isPaused else { return }
        let file = png.map { _ in "figure-\(state.files.count).png" }
        if let file { state.files[file] = png }
        state.outputs.append(output(file))
      }
    }
  }

  /// Runs `body`, whose output is not recorded.
  static func pausing(_ body: () -> Void) {
    fflush(nil)
    let recorders = active.withLock { $0 }
    for recorder in recorders { recorder.state.withLock { $0.isPaused = true } }
    body()
    fflush(nil)
    for recorder in recorders { recorder.state.withLock { $0.isPaused = false } }
  }

  private func add(_ bytes: Data, _ stream: Page.Stream) {
    state.withLock { state in
      guard !state.isPaused else { return }
      state.size += bytes.count
      guard state.size <= Self.limit else { return }
      if case .bytes(var before, stream)? = state.outputs.popLastIfBytes(of: stream) {
        before += bytes
        state.outputs.append(.bytes(before, stream))
      } else {
        state.outputs.append(.bytes(bytes, stream))
      }
    }
  }

  /// The files of figures, by name.
  var files: [String: Data] { state.withLock { $0.files } }

  /// What was recorded; `nil` if it is too large to be kept. Of a line that was redrawn only its last
  /// state is there.
  var outputs: [RecordedOutput]? {
    state.withLock { state in
      guard state.size <= Self.limit else { return nil }
      return state.outputs.compactMap { output in
        guard case .bytes(let bytes, .standardError) = output else { return output }
        let last = lastStates(of: bytes)
        return last.isEmpty ? nil : .bytes(last, .standardError)
      }
    }
  }
}

extension [RecordedOutput] {
  /// Removes the last output if it is text of a stream, so that it can be changed in place: copies of
  /// a growing text would take ever longer.
  fileprivate mutating func popLastIfBytes(of stream: Page.Stream) -> RecordedOutput? {
    guard case .bytes(_, stream)? = last else { return nil }
    return removeLast()
  }
}

/// The bytes without the states of a progress bar that were drawn over, and without bars that were
/// erased.
private func lastStates(of bytes: Data) -> Data {
  guard bytes.contains(0x0D) else { return bytes }
  let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
  let kept = lines.compactMap { line -> Data? in
    guard Transcript.isBar(ArraySlice(line)) else { return line }
    let states = String(decoding: line, as: UTF8.self).split(separator: "\r")
    let last = states.last.map { $0.replacing("\u{1b}[K", with: "") } ?? ""
    return last.isEmpty ? nil : Data(last.utf8)
  }
  return Data(kept.joined(separator: [0x0A]))
}
