import ArgumentParser
import Foundation
import Lab
import Literate

/// The device on which a notebook trains, as its parameters say: elsewhere its tensors and models are
/// on the processor.
@MainActor
enum NotebookDevice {
  private(set) static var options = DeviceOptions()
  private(set) static var device = Device.cpu

  /// Takes the device from the parameters of a notebook. Results that are stored depend on it.
  static func choose(_ options: DeviceOptions) throws {
    self.options = options
    device = try options.device()
    for line in options.lines(about: device) { print(line) }
    if device != .cpu { dependsOn("GPU", device.recordName) }
    if let model = device.model { note("GPU", model) }
  }

  /// The options for `lab train`.
  static var arguments: [String] {
    (options.gpus.map { ["--gpus=\($0)"] } ?? [])
      + (options.precision.map { ["--precision=\($0)"] } ?? [])
  }

  /// The result of `body`, which trains a model, on the notebook's device. If that fails and
  /// `--gpus=auto` was given, training continues on the processor.
  ///
  /// The model ends on the device on which it was.
  static func train<Value>(
    _ model: some Layer, with trainer: Trainer, _ body: () throws -> Value
  ) rethrows -> Value {
    let before = model.device
    guard device.isGPU, before != device, (try? device.check()) != nil,
      let beginning = try? TrainingBeginning(model)
    else { return try body() }
    model.to(device)
    defer { model.to(before) }
    do {
      return try body()
    } catch let error as GPUError where options.gpus == .automatic {
      StandardError.writeLine("Warning: \(error); continuing on the processor")
      guard (try? beginning.restore(model)) != nil else { throw error }
      // The progress is in the same file.
      let file = trainer.progressFile
      trainer.progressFile = file
      return try body()
    }
  }
}

extension ParsableArguments {
  /// The options of a notebook among its parameters.
  var notebookOptions: NotebookOptions? {
    if let options = self as? NotebookOptions { return options }
    return Mirror(reflecting: self).children.lazy
      .compactMap { ($0.value as? OptionGroup<NotebookOptions>)?.wrappedValue }.first
  }
}
