import Foundation

/// A value as JSON, always in the same order, with a line break at the end.
///
/// - Parameters:
///   - value: The value.
///   - formatting: What else is asked for: on several lines, unless told otherwise.
/// - Throws: What the encoder throws, as for a number that JSON does not have.
func jsonText(
  of value: some Encodable, formatting: JSONEncoder.OutputFormatting = .prettyPrinted
) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
  return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
}
