import Foundation
import LabData
import LabNetworks
import LabTensors

/// The configuration of a training run: its file `run.json`.
public struct RunRecord: Codable, Equatable, Sendable {
  /// The arguments of the command, as typed but in the course's spelling.
  public var arguments: [String]
  /// The seed of all random numbers.
  public var seed: UInt64
  /// The name of the model.
  public var modelClass: String
  /// The model's options, by name. Earlier versions wrote all values as text.
  public var modelOptions: [String: OptionValue]
  /// The options in which runs may differ, by name, also those that were not given. Nil in records of
  /// earlier versions.
  public private(set) var hyperparameters: [String: String]?
  /// The number of trainable parameters.
  public var parameters: Int
  /// The name of the data set.
  public var dataClass: String
  /// Whether the program drew the images.
  public var isSynthetic: Bool
  /// Checksums of the files that the data come from, by name.
  public var dataSources: [String: String]
  /// Versions that the results may depend on: the processor's kernels, Swift, the system.
  public var versions: [String: String]
  /// The start of the run.
  public var started: Date
  /// Which devices computed the training, the first one first: results differ a little between
  /// devices. Nil in records of earlier versions, which computed on the processor.
  public private(set) var devices: [DeviceUse]?

  enum CodingKeys: String, CodingKey {
    case arguments, seed, hyperparameters, parameters, versions, started, devices
    case modelClass = "model_class"
    case modelOptions = "model_options"
    case dataClass = "data_class"
    case isSynthetic = "synthetic"
    case dataSources = "data_sources"
  }

  /// Creates the record of a run that starts now.
  ///
  /// - Parameters:
  ///   - arguments: The arguments of the command.
  ///   - seed: The seed of all random numbers.
  ///   - model: The model.
  ///   - options: The model's options, by name.
  ///   - data: The data.
  ///   - versions: Versions that the results may depend on.
  ///   - hyperparameters: The options in which runs may differ, by name, also those that were not
  ///     given.
  public init(
    arguments: [String], seed: UInt64, model: some Layer, options: [String: OptionValue],
    data: some DataModule, versions: [String: String], hyperparameters: [String: String]? = nil
  ) {
    (self.arguments, self.seed, self.versions) = (arguments, seed, versions)
    self.hyperparameters = hyperparameters
    (modelClass, modelOptions) = ("\(type(of: model))", options)
    (dataClass, isSynthetic, dataSources) = (type(of: data).name, data.isSynthetic, data.sources)
    (parameters, started) = (model.parameterCount, .now)
  }

  /// Adds the arguments with which a run is resumed: they override the earlier ones.
  ///
  /// - Parameters:
  ///   - changes: The arguments, without those that name the run.
  ///   - hyperparameters: The options in which runs may differ, as they are now.
  package mutating func add(_ changes: [String], _ hyperparameters: [String: String]) {
    guard !changes.isEmpty, !arguments.suffix(changes.count).elementsEqual(changes) else { return }
    arguments += changes
    // Records of earlier versions have none.
    if self.hyperparameters != nil { self.hyperparameters = hyperparameters }
  }

  /// Reads a file.
  ///
  /// - Throws: ``DataError`` if it cannot be read, or is not the record of a run.
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

  /// Notes that a device computes from a step on.
  ///
  /// - Parameters:
  ///   - device: The device's name.
  ///   - step: The steps made before, in all epochs. What other devices computed after it was lost.
  /// - Returns: Whether that changes the record.
  @discardableResult
  package mutating func note(device: String, from step: Int) -> Bool {
    let earlier =
      devices ?? (step > 0 ? [DeviceUse(device: Device.cpu.description, fromStep: 0)] : [])
    var uses = earlier.filter { $0.fromStep < step }
    if uses.last?.device != device { uses.append(DeviceUse(device: device, fromStep: step)) }
    defer { devices = uses }
    return devices != uses
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

/// The device that computed a training from a step on.
public struct DeviceUse: Codable, Equatable, Sendable {
  /// The device: `cpu`, or a GPU's name, driver and precision.
  public let device: String
  /// The steps made before, in all epochs.
  public let fromStep: Int

  package init(device: String, fromStep: Int) {
    (self.device, self.fromStep) = (device, fromStep)
  }

  enum CodingKeys: String, CodingKey {
    case device
    case fromStep = "from_step"
  }
}
