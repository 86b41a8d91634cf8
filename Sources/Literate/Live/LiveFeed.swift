import Foundation
import Synchronization

/// The messages that keep pages in browsers up to date: the last ones, numbered, for any number of
/// readers at their own pace.
///
/// A reader asks for everything after a number. The memory does not depend on readers: one that asks for
/// messages that are gone already has to load the page again.
package final class LiveFeed: Sendable {
  package struct Message: Sendable {
    package let number: Int
    /// The message in JSON, on one line.
    package let text: String
  }

  /// What a reader gets.
  package enum Answer: Sendable {
    case messages([Message])
    /// The messages are gone, or the number comes from elsewhere.
    case reload
  }

  private struct State {
    var messages: [Message] = []
    /// The number of messages at the front that are gone already.
    var firstIndex = 0
    var last = 0
    var bytes = 0
    var isClosed = false
    var readers: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextReader = 0
  }

  private let state = Mutex(State())
  private let countLimit: Int
  private let byteLimit: Int

  /// - Parameters:
  ///   - countLimit: The number of messages that are kept.
  ///   - byteLimit: Their size in bytes; the last message is always kept.
  package init(countLimit: Int = 4_000, byteLimit: Int = 16 << 20) {
    self.countLimit = countLimit
    self.byteLimit = byteLimit
  }

  /// The number of the last message.
  package var last: Int { state.withLock { $0.last } }

  /// The number of readers.
  package var readerCount: Int { state.withLock { $0.readers.count } }

  /// Adds messages and wakes the readers.
  ///
  /// - Returns: The number of the last message.
  @discardableResult
  package func add(_ texts: [String]) -> Int {
    let (last, readers) = state.withLock { state in
      for text in texts {
        state.last += 1
        state.messages.append(Message(number: state.last, text: text))
        state.bytes += text.utf8.count
      }
      while state.messages.count - state.firstIndex > 1,
        state.messages.count - state.firstIndex > countLimit || state.bytes > byteLimit
      {
        state.bytes -= state.messages[state.firstIndex].text.utf8.count
        state.messages[state.firstIndex] = Message(number: 0, text: "")
        state.firstIndex += 1
      }
      if state.firstIndex > countLimit {
        state.messages.removeFirst(state.firstIndex)
        state.firstIndex = 0
      }
      return (state.last, Array(state.readers.values))
    }
    for reader in readers { reader.yield() }
    return last
  }

  /// The messages after a number.
  package func messages(after number: Int) -> Answer {
    state.withLock { state in
      if number == state.last { return .messages([]) }
      guard number >= 0, number < state.last, state.messages.count > state.firstIndex,
        state.messages[state.firstIndex].number <= number + 1
      else { return .reload }
      let start = state.firstIndex + number + 1 - state.messages[state.firstIndex].number
      return .messages(Array(state.messages[start...]))
    }
  }

  /// A stream of signals: there may be messages, or it is time to see whether the reader is still there.
  /// It ends with the feed.
  package func signals() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let key: Int? = state.withLock { state in
      guard !state.isClosed else { return nil }
      state.nextReader += 1
      state.readers[state.nextReader] = continuation
      return state.nextReader
    }
    guard let key else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { state in _ = state.readers.removeValue(forKey: key) }
    }
    return stream
  }

  /// Wakes all readers although there is no message, so that those that are gone are noticed.
  package func wakeReaders() {
    let readers = state.withLock { Array($0.readers.values) }
    for reader in readers { reader.yield() }
  }

  /// Ends all streams after what they have still to read.
  package func close() {
    let readers = state.withLock { state in
      state.isClosed = true
      return Array(state.readers.values)
    }
    for reader in readers { reader.finish() }
  }
}
