import Foundation

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
    let named = model.namedParameters.map { ($0.path, $0.parameter.value) }
    let tensors = Dictionary(named) { first, _ in first }
    try Safetensors(tensors: tensors, metadata: metadata).write(to: url)
  }

  /// Reads a model's weights.
  ///
  /// - Parameters:
  ///   - url: A file of ``save(_:to:metadata:)``, or one that PyTorch's `safetensors` wrote for the
  ///     same network.
  ///   - model: The model; it changes only if everything fits.
  /// - Throws: ``DataError`` if the file is damaged, or does not hold exactly this model's weights.
  public static func load(_ url: URL, into model: some Layer) throws {
    let path = url.path(percentEncoded: false)
    let tensors = try Safetensors(contentsOf: url).tensors
    let parameters = model.namedParameters
    let advice = "is it a checkpoint of the same model with the same options?"
    for named in parameters {
      let wanted = "\(named.path) of shape \(named.parameter.shape)"
      guard let tensor = tensors[named.path] else {
        throw DataError(.damaged, "\(path): expected \(wanted), got no such tensor; \(advice)")
      }
      guard tensor.shape == named.parameter.shape else {
        throw DataError(.damaged, "\(path): expected \(wanted), got \(tensor.shape); \(advice)")
      }
    }
    let names = Set(parameters.map(\.path))
    if let extra = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw DataError(.damaged, "\(path): holds \(extra), which the model has not; \(advice)")
    }
    for named in parameters {
      if let tensor = tensors[named.path] { try named.parameter.load(tensor) }
    }
  }
}
