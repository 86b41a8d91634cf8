import Foundation
import LabData
import LabNetworks
import LabTensors

/// Files with the weights of a model, by PyTorch's names, and metadata about the training.
public enum Checkpoint {
  /// Writes a model's weights, whole or not at all.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - url: The file; its folder is created if it does not exist.
  ///   - metadata: Texts for the header.
  /// - Throws: ``DataError`` if the file cannot be written, ``GPUError`` if the model's device has
  ///   failed.
  public static func save(
    _ model: some Layer, to url: URL, metadata: [String: String] = [:]
  ) throws {
    try file(of: model, metadata: metadata).inHostMemory().write(to: url)
  }

  /// The name of the model's options in the header: a JSON object.
  package static let optionsKey = "model_options"

  /// The options in the header of a checkpoint, by their names; empty if it has none.
  ///
  /// Earlier versions wrote all values as text, which ``OptionValue`` reads too.
  ///
  /// - Parameters:
  ///   - file: The checkpoint.
  ///   - url: Its address, for messages.
  /// - Throws: ``DataError`` if they are not a JSON object of numbers, texts and truth values.
  package static func modelOptions(
    of file: Safetensors, at url: URL
  ) throws -> [String: OptionValue] {
    guard let text = file.metadata[optionsKey] else { return [:] }
    guard
      let options = try? JSONDecoder().decode([String: OptionValue].self, from: Data(text.utf8))
    else {
      throw DataError(
        .damaged,
        "\(url.path(percentEncoded: false)): expected \(optionsKey) in the header to be a JSON "
          + "object of options, got \(printable(text))")
    }
    let pairs = options.map { name, value -> (String, OptionValue) in
      if case .text(let text) = value { return (printable(name), .text(printable(text))) }
      return (printable(name), value)
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// The checkpoint that a path means: the file itself, or in the folder of a run the weights of the
  /// best epoch, or of the last one if no epoch was validated.
  ///
  /// - Throws: ``DataError`` if a folder has no checkpoint, or several of them could be meant.
  package static func file(at url: URL) throws -> URL {
    var isFolder: ObjCBool = false
    let path = url.path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { return url }
    let names = try withFile(url, "read") {
      try FileManager.default.contentsOfDirectory(atPath: path)
    }
    let best = names.filter { $0.wholeMatch(of: bestName) != nil }
    guard best.count <= 1 else {
      throw DataError(
        .unusable,
        "\(path): expected one checkpoint of the best epoch, got \(best.count); name one of them")
    }
    if let name = best.first { return url.appending(path: name) }
    guard names.contains(lastName) else {
      throw DataError(
        .unusable, "\(path): expected a checkpoint or the folder of a run with one, got neither")
    }
    return url.appending(path: lastName)
  }

  /// The file with the weights of the last epoch.
  static let lastName = "last.safetensors"

  /// The name of the file with the weights of the best epoch.
  static var bestName: some RegexComponent {
    /epoch=\d+-(train|val)_[^=]+=.*\.safetensors/
  }

  /// A file without the prefixes that other programs put before the names of all tensors, such as
  /// Lightning's `model.`.
  package static func withoutPrefixes(_ file: Safetensors) -> Safetensors {
    var file = file
    for prefix in ["_orig_mod.", "module.", "model.", "_orig_mod.", "module."] {
      let names = Array(file.tensors.keys) + file.integers.keys
      guard !names.isEmpty, names.allSatisfy({ $0.hasPrefix(prefix) }) else { continue }
      file.tensors = file.tensors.part(prefix)
      file.integers = file.integers.part(prefix)
    }
    return file
  }

  /// The contents of a checkpoint.
  package static func file(of model: some Layer, metadata: [String: String] = [:]) -> Safetensors {
    let floats = model.floats.map { ($0.name, $0.value) }
    let integers = model.integers.map { ($0.name, $0.value) }
    return Safetensors(
      tensors: Dictionary(floats) { first, _ in first },
      integers: Dictionary(integers) { first, _ in first }, metadata: metadata)
  }

  /// Reads a model's weights.
  ///
  /// - Parameters:
  ///   - url: A file written by ``save(_:to:metadata:)``, or by PyTorch's `safetensors` for the same
  ///     network.
  ///   - model: The model; if the file does not fit, it stays unchanged.
  /// - Throws: ``DataError`` if the file is damaged, or does not have exactly this model's weights.
  public static func load(_ url: URL, into model: some Layer) throws {
    try load(try Safetensors(contentsOf: url), of: url, into: model)
  }

  /// Copies the tensors of a file into a model.
  package static func load(_ file: Safetensors, of url: URL, into model: some Layer) throws {
    let file = try checked(file, of: url, for: model)
    try copy(file, into: model)
  }

  /// The file without prefixes, if it has exactly the tensors of a model.
  ///
  /// - Throws: ``DataError`` if it does not fit.
  package static func checked(
    _ file: Safetensors, of url: URL, for model: some Layer
  ) throws -> Safetensors {
    let path = url.path(percentEncoded: false)
    let advice = "is it a checkpoint of the same model with the same options?"
    // The model's own names may begin with a prefix too.
    let isWrapped = model.floats.contains { file.tensors[$0.name] == nil }
    let file = isWrapped ? withoutPrefixes(file) : file
    let wanted =
      model.floats.map { ($0.name, $0.value.shape, file.tensors[$0.name]?.shape) }
      + model.integers.map { ($0.name, $0.value.shape, file.integers[$0.name]?.shape) }
    for (name, shape, found) in wanted where found != shape {
      let got = found.map { "\($0)" } ?? "no such tensor"
      throw DataError(
        .damaged, "\(path): expected \(name) of shape \(shape), got \(got); \(advice)")
    }
    let names = Set(wanted.map(\.0))
    let found = (Array(file.tensors.keys) + file.integers.keys).sorted()
    if let extra = found.first(where: { !names.contains($0) }) {
      throw DataError(
        .damaged, "\(path): has \(printable(extra)), which the model does not have; \(advice)")
    }
    for (name, _, _) in wanted {
      if let value = file.tensors[name]?.elements.first(where: { !$0.isFinite }) {
        throw DataError(
          .damaged,
          "\(path): expected finite weights, got \(value) in \(printable(name)); the training that "
            + "saved it diverged")
      }
    }
    for named in model.namedStatistics {
      if let value = file.tensors[named.name("running_var")]?.elements.first(where: { $0 < 0 }) {
        throw DataError(
          .damaged,
          "\(path): expected \(printable(named.name("running_var"))) of at least 0, got \(value)")
      }
      // A Double holds each whole number up to here, and adding 1 cannot overflow.
      let batches = file.integers[named.name("num_batches_tracked")]?.elements[0] ?? 0
      guard (0...1 << 53).contains(batches) else {
        throw DataError(
          .damaged,
          "\(path): expected \(printable(named.name("num_batches_tracked"))) to be a number of "
            + "batches, got \(batches)")
      }
    }
    return file
  }

  /// Copies the tensors of a file that was ``checked(_:of:for:)``.
  private static func copy(_ file: Safetensors, into model: some Layer) throws {
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

extension Safetensors {
  /// The same with all tensors in the host's memory.
  ///
  /// - Throws: ``GPUError`` if a tensor's device has failed: its elements are NaN then.
  package func inHostMemory() throws(GPUError) -> Safetensors {
    var file = self
    file.tensors = tensors.mapValues { $0.to(.cpu) }
    for tensor in tensors.values { try tensor.device.check() }
    return file
  }
}

extension Device {
  /// The result of `body`, which computes on the device.
  ///
  /// - Throws: ``GPUError`` if the device has failed, also if `body` throws another error: what a
  ///   failed device computes is NaN, which `body` may refuse. ``TrainingInterruption``, and what
  ///   `body` throws as long as the device has not failed.
  package func checking<Result>(_ body: () throws -> Result) throws -> Result {
    let result: Result
    do {
      result = try body()
    } catch let interruption as TrainingInterruption {
      throw interruption
    } catch {
      try check()
      throw error
    }
    try check()
    return result
  }
}

extension Layer {
  /// The first weight or running statistic that is infinite or NaN; nil if there is none.
  var firstNonFinite: (name: String, value: Float)? {
    for (name, tensor) in floats {
      if let value = tensor.elements.first(where: { !$0.isFinite }) { return (name, value) }
    }
    return nil
  }

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
