import Foundation

extension Event {
  /// The event as a line of JSON, always in the same order.
  ///
  /// - Throws: What the encoder throws, as for a number that JSON does not have.
  package var line: String {
    get throws { try jsonText(of: self, formatting: []) }
  }

  /// The event that a line tells of.
  ///
  /// - Throws: What the decoder throws.
  package init(line: some StringProtocol) throws {
    self = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
  }
}
