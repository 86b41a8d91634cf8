import Foundation

/// What a model has to know of a data set: the extents of what goes in and comes out, and what the
/// labels mean.
public struct DataConfig: Codable, Equatable, Sendable {
  /// The extents of one input: channels, rows, columns.
  public let inputDims: [Int]
  /// The extents of one target; `[1]` for one label an image.
  public let outputDims: [Int]
  /// The text that each label stands for, by label.
  public let mapping: [String]

  /// - Parameters:
  ///   - inputDims: The extents of one input: channels, rows, columns.
  ///   - outputDims: The extents of one target.
  ///   - mapping: The text that each label stands for, by label.
  public init(inputDims: [Int], outputDims: [Int], mapping: [String]) {
    self.inputDims = inputDims
    self.outputDims = outputDims
    self.mapping = mapping
  }

  private enum CodingKeys: String, CodingKey {
    case mapping
    case inputDims = "input_dims"
    case outputDims = "output_dims"
  }

  /// The configuration as in the header of a checkpoint, with the course's names.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
