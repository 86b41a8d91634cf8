import Foundation
import LabDatasets
import LabNetworks
import LabTensors

/// The weights of a model in a file, by PyTorch's names, with what is known about their training.
public enum Checkpoint {
  /// Writes a model's weights, whole or not at all.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - url: The file; its folder is made if need be.
  ///   - metadata: Texts about the training.
  /// - Throws: ``DataError`` if the file cannot be written.
  public static func save(
    _ model: some Layer, to url: URL, metadata: [String: String] = [:]
  ) throws {
    try file(of: model, metadata: metadata).write(to: url)
  }

  /// Where the header of a checkpoint has the options that its model was made with.
  package static let optionsKey = "model_options"

  /// The options that a checkpoint's model was made with, by their names; none where nothing wrote
  /// them down.
  ///
  /// - Parameters:
  ///   - file: The checkpoint.
  ///   - url: Where it is.
  /// - Throws: ``DataError`` if they cannot be read.
  package static func modelOptions(of file: Safetensors, at url: URL) throws -> [String: String] {
    guard let text = file.metadata[optionsKey] else { return [:] }
    guard let options = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    else {
      throw DataError(
        .damaged,
        "\(url.path(percentEncoded: false)): expected \(optionsKey) in the header to be names and "
          + "texts, got \(printable(text))")
    }
    return options
  }

  /// A model's weights, as they stand in a file.
  static func file(of model: some Layer, metadata: [String: String] = [:]) -> Safetensors {
    let floats = model.floats.map { ($0.name, $0.value) }
    let integers = model.integers.map { ($0.name, $0.value) }
    return Safetensors(
      tensors: Dictionary(floats) { first, _ in first },
      integers: Dictionary(integers) { first, _ in first }, metadata: metadata)
  }

  /// Reads a model's weights.
  ///
  /// - Parameters:
  ///   - url: A file of ``save(_:to:metadata:)``, or one that PyTorch's `safetensors` wrote for the
  ///     same network.
  ///   - model: The model; it changes only if everything fits.
  /// - Throws: ``DataError`` if the file is damaged, or does not hold exactly this model's weights.
  public static func load(_ url: URL, into model: some Layer) throws {
    try load(try Safetensors(contentsOf: url), of: url, into: model)
  }

  /// Puts the tensors of a file into a model.
  package static func load(_ file: Safetensors, of url: URL, into model: some Layer) throws {
    let path = url.path(percentEncoded: false)
    let advice = "is it a checkpoint of the same model with the same options?"
    let wanted =
      model.floats.map { ($0.name, $0.value.shape, file.tensors[$0.name]?.shape) }
      + model.integers.map { ($0.name, $0.value.shape, file.integers[$0.name]?.shape) }
    for (name, shape, found) in wanted where found != shape {
      let got = found.map { "\($0)" } ?? "no such tensor"
      throw DataError(
        .damaged, "\(path): expected \(name) of shape \(shape), got \(got); \(advice)")
    }
    let names = Set(wanted.map(\.0))
    let held = (Array(file.tensors.keys) + file.integers.keys).sorted()
    if let extra = held.first(where: { !names.contains($0) }) {
      throw DataError(
        .damaged, "\(path): holds \(printable(extra)), which the model has not; \(advice)")
    }
    for named in model.namedParameters {
      if let tensor = file.tensors[named.path] { try named.parameter.load(tensor) }
    }
    for named in model.namedStatistics {
      if let mean = file.tensors[named.name("running_mean")],
        let variance = file.tensors[named.name("running_var")],
        let batches = file.integers[named.name("num_batches_tracked")]
      {
        try named.statistics.load(mean: mean, variance: variance, batches: batches.elements[0])
      }
    }
  }
}

extension Layer {
  /// The floats of a checkpoint, by PyTorch's names.
  fileprivate var floats: [(name: String, value: Tensor)] {
    namedParameters.map { ($0.path, $0.parameter.value) }
      + namedStatistics.flatMap {
        [
          ($0.name("running_mean"), $0.statistics.mean),
          ($0.name("running_var"), $0.statistics.variance),
        ]
      }
  }

  /// The integers of a checkpoint, by PyTorch's names.
  fileprivate var integers: [(name: String, value: IntTensor)] {
    namedStatistics.map {
      ($0.name("num_batches_tracked"), IntTensor([$0.statistics.batches], shape: []))
    }
  }
}

extension NamedStatistics {
  fileprivate func name(_ part: String) -> String { path.isEmpty ? part : "\(path).\(part)" }
}
