import Foundation
import Lab
import Literate

/// Trains a model once: a later run of the notebook gets the stored result, the trained weights and
/// the printed lines, as long as nothing that they depend on has changed. A training that was
/// interrupted goes on where its state was saved last, and ends with the same weights as if it had
/// never stopped. With the parameter `--gpus=1` the GPU trains it, and the model returns to the processor.
///
/// ```swift
/// let history = attempt {
///   try cached("cnn", training: model, with: trainer) {
///     try trainer.fit(model, data, optimizer: Adam(model.parameters))
///   }
/// }
/// ```
///
/// - Parameters:
///   - name: The name of the result, unique in the notebook.
///   - model: The model, which `body` trains. Its weights are stored with the result.
///   - trainer: The trainer that `body` uses.
///   - line: The line of the call.
///   - file: The file of the call.
///   - body: Trains the model. What else it changes, such as an optimizer made before, is not stored.
/// - Returns: The result of `body`; see `cached(_:changing:)` for what it depends on.
@MainActor
public func cached<Value: Codable>(
  _ name: String, training model: some Layer, with trainer: Trainer, line: Int = #line,
  file: String = #filePath, _ body: () throws -> Value
) rethrows -> Value {
  let earlier = trainer.progressFile
  defer { trainer.progressFile = earlier }
  let state = ModelState(model, trainedOn: NotebookDevice.device)
  return try cachedResult(name, changing: [state], line: line, file: file) { folder in
    if let folder { trainer.progressFile = folder.appending(path: "training-state") }
    return try NotebookDevice.train(model, with: trainer, body)
  }
}

/// The weights, running statistics and own random generators of a model.
private struct ModelState<Model: Layer>: CachedState {
  private let model: Model
  private let device: Device
  private static var generatorsKey: String { "generators" }

  init(_ model: Model, trainedOn device: Device) {
    (self.model, self.device) = (model, device)
  }

  func savedState() throws -> Data {
    // Otherwise a result of the processor, which went on, would be stored as one of the device.
    try device.check()
    let states = Dictionary(
      model.namedGenerators.map { ($0.path, $0.generator.state) }
    ) { first, _ in first }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(states), as: UTF8.self)
    return try Checkpoint.file(of: model, metadata: [Self.generatorsKey: text]).data
  }

  func restoration(of data: Data) throws -> () -> Void {
    let file = try Safetensors(data, named: "a stored result")
    let url = URL(filePath: "result")
    let weights = try Checkpoint.checked(file, of: url, for: model)
    let states = try JSONDecoder().decode(
      [String: Generator.State].self,
      from: Data((file.metadata[Self.generatorsKey] ?? "{}").utf8))
    return {
      // It fits: that was checked.
      try? Checkpoint.load(weights, of: url, into: model)
      for named in model.namedGenerators {
        if let state = states[named.path] { named.generator.state = state }
      }
    }
  }
}

/// The random generator that all layers share.
struct SharedGenerator: CachedState {
  func savedState() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(Generator.shared.state)
  }

  func restoration(of data: Data) throws -> () -> Void {
    let state = try JSONDecoder().decode(Generator.State.self, from: data)
    return { Generator.shared.state = state }
  }
}
