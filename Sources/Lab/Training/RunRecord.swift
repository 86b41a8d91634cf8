import Foundation
import LabDatasets
import LabNetworks

/// The options, the model and the data of a training run: its file `run.json`.
public struct RunRecord: Codable, Equatable, Sendable {
  /// The command's arguments, as typed but in the course's spelling.
  public var arguments: [String]
  /// The seed of all random numbers.
  public var seed: UInt64
  /// The model's class.
  public var modelClass: String
  /// The model's options, by name.
  public var modelOptions: [String: String]
  /// The number of trainable numbers.
  public var parameters: Int
  /// The data set's class.
  public var dataClass: String
  /// Whether the images were drawn by the program.
  public var isSynthetic: Bool
  /// The files that the data were read from, with checksums.
  public var dataSources: [String: String]
  /// Versions that may change results: the processor's kernels, Swift, the operating system.
  public var versions: [String: String]
  /// When the run began.
  public var started: Date

  enum CodingKeys: String, CodingKey {
    case arguments, seed, parameters, versions, started
    case modelClass = "model_class"
    case modelOptions = "model_options"
    case dataClass = "data_class"
    case isSynthetic = "synthetic"
    case dataSources = "data_sources"
  }

  /// The record of a run that begins now.
  ///
  /// - Parameters:
  ///   - arguments: The command's arguments.
  ///   - seed: The seed of all random numbers.
  ///   - model: The model.
  ///   - options: The model's options.
  ///   - data: The data.
  ///   - versions: Versions that may change results.
  public init(
    arguments: [String], seed: UInt64, model: some Layer, options: [String: String],
    data: some DataModule, versions: [String: String]
  ) {
    (self.arguments, self.seed, self.versions) = (arguments, seed, versions)
    (modelClass, modelOptions) = ("\(type(of: model))", options)
    (dataClass, isSynthetic, dataSources) = (type(of: data).name, data.isSynthetic, data.sources)
    (parameters, started) = (model.parameterCount, .now)
  }

  /// Reads a file.
  ///
  /// - Throws: ``DataError`` if it cannot be read or is not a record.
  public init(contentsOf url: URL) throws {
    let json = try withFile(url, "read") { try Data(contentsOf: url) }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    do {
      self = try decoder.decode(RunRecord.self, from: json)
    } catch {
      let path = url.path(percentEncoded: false)
      throw DataError(
        .damaged, "\(path): expected the record of a training run, got other contents")
    }
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: ``DataError`` if it cannot be written.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    let json = try encoder.encode(self)
    try writeWhole(to: url) { try $0.write(contentsOf: json + Data("\n".utf8)) }
  }
}
