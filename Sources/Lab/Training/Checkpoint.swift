import Foundation
import LabDatasets
import LabNetworks
import LabTensors

/// A model's weights in a file, by PyTorch's names, with texts about the training.
public enum Checkpoint {
  /// Saves a model's weights, all of them or none.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - url: The file; its folder is created if needed.
  ///   - metadata: Texts about the training.
  /// - Throws: ``DataError`` if the file cannot be written.
  public static func save(
    _ model: some Layer, to url: URL, metadata: [String: String] = [:]
  ) throws {
    try file(of: model, metadata: metadata).write(to: url)
  }

  /// The key of the model's options in a checkpoint's header.
  package static let optionsKey = "model_options"

  /// The options of a checkpoint's model, by name; none if the header has none.
  ///
  /// - Parameters:
  ///   - file: The checkpoint.
  ///   - url: Its file, for messages.
  /// - Throws: ``DataError`` if they are damaged.
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

  /// A model's weights as the contents of a file.
  static func file(of model: some Layer, metadata: [String: String] = [:]) -> Safetensors {
    let floats = model.floats.map { ($0.name, $0.value) }
    let integers = model.integers.map { ($0.name, $0.value) }
    return Safetensors(
      tensors: Dictionary(floats) { first, _ in first },
      integers: Dictionary(integers) { first, _ in first }, metadata: metadata)
  }

  /// Loads a model's weights.
  ///
  /// - Parameters:
  ///   - url: A file of ``save(_:to:metadata:)``, or one that PyTorch's `safetensors` wrote for the
  ///     same network.
  ///   - model: The model; it is changed only if everything fits.
  /// - Throws: ``DataError`` if the file is damaged or has other tensors than the model.
  public static func load(_ url: URL, into model: some Layer) throws {
    try load(try Safetensors(contentsOf: url), of: url, into: model)
  }

  /// Loads the tensors of a file into a model.
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
        .damaged,
        "\(path): expected no \(printable(extra)), which the model does not have; \(advice)")
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
