import FlyingSocks
import Literate

/// The messages of a feed as server-sent events.
///
/// Source: the HTML standard, 9.2, "Server-sent events".
struct EventStream: AsyncBufferedSequence {
  typealias Element = UInt8

  private let feed: LiveFeed
  private let number: Int

  /// - Parameters:
  ///   - feed: The messages.
  ///   - number: The number of the last message that the reader has.
  init(feed: LiveFeed, after number: Int) {
    self.feed = feed
    self.number = number
  }

  func makeAsyncIterator() -> Iterator {
    Iterator(feed: feed, number: number, signals: feed.signals().makeAsyncIterator())
  }

  struct Iterator: AsyncBufferedIteratorProtocol {
    let feed: LiveFeed
    var number: Int
    var signals: AsyncStream<Void>.Iterator
    private var hasBegun = false
    private var isOver = false

    init(feed: LiveFeed, number: Int, signals: AsyncStream<Void>.Iterator) {
      (self.feed, self.number, self.signals) = (feed, number, signals)
    }

    /// Elements are only read in buffers.
    mutating func next() async -> UInt8? { nil }

    mutating func nextBuffer(suggested count: Int) async -> [UInt8]? {
      if isOver { return nil }
      if !hasBegun {
        hasBegun = true
        return Array("retry: 1000\n\n".utf8)
      }
      let events = nextEvents
      if !events.isEmpty { return events }
      guard await signals.next() != nil else {
        isOver = true
        // What was added last, together with the end.
        let events = nextEvents
        return events.isEmpty ? nil : events
      }
      let news = nextEvents
      // A comment, which fails if there is no reader any more.
      return news.isEmpty ? Array(":\n\n".utf8) : news
    }

    private var nextEvents: [UInt8] {
      mutating get {
        switch feed.messages(after: number) {
        case .messages(let messages):
          number = messages.last?.number ?? number
          return messages.flatMap { Array("id: \($0.number)\ndata: \($0.text)\n\n".utf8) }
        case .reload:
          isOver = true
          return Array("data: {\"act\":\"reload\"}\n\n".utf8)
        }
      }
    }
  }
}
