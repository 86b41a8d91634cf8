import ArgumentParser
import Foundation
import LabData
import LabModels
import LabNetworks
import LabRandom
import LabTensors
import LabTraining
import StandardStreams

/// On which device a program computes.
public struct DeviceOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compute on the GPU: 1. With auto, on the processor if no GPU can be used. (default: 0)",
      discussion: """
        One GPU is used: the one with the most compute units, or the one that LAB_OPENCL_DEVICE names.
        """),
    transform: { try GPURequest($0) })
  public var gpus: GPURequest?

  @Option(
    help: ArgumentHelp(
      "How products are computed on the GPU: "
        + GPUPrecision.allCases.map(\.rawValue).joined(separator: ", ")
        + ". (default: tf32 on NVIDIA GPUs that have it, else 32)"),
    transform: { try choice($0) })
  public var precision: GPUPrecision?

  public init() {}

  /// The device that the options ask for.
  ///
  /// Drivers of GPUs are looked for only if a GPU is asked for.
  ///
  /// - Throws: ``GPUError`` if it cannot be used, ``TrainingError`` if the processor does not have the
  ///   precision.
  package func device() throws -> Device {
    switch gpus ?? .processor {
    case .processor:
      guard let precision, precision != .float32 else { return .cpu }
      throw TrainingError(
        "--precision=\(precision.rawValue): expected a GPU, got the processor, which computes with 32-bit "
          + "floats; add --gpus=1, or leave --precision out")
    case .gpu(let text):
      do {
        return try gpu()
      } catch {
        guard !isPrecisionMissing else { throw error }
        throw GPUError(
          "--gpus=\(text): \(error); to compute on the processor: --gpus=auto or --gpus=0")
      }
    case .automatic:
      do {
        return try gpu()
      } catch {
        guard !isPrecisionMissing else { throw error }
        StandardError.writeLine("Warning: \(error); the processor is used")
        return .cpu
      }
    }
  }

  private func gpu() throws(GPUError) -> Device {
    let device = try Device.gpu(precision: precision)
    // It may have failed before, in a program that trains several times.
    try device.check()
    return device
  }

  /// Whether there is a GPU, but not with this precision.
  private var isPrecisionMissing: Bool {
    guard precision != nil, let device = try? Device.gpu else { return false }
    return (try? device.check()) != nil
  }

  /// What Lightning prints about GPUs, for a device of ``device()``; nothing unless a GPU was asked for.
  package func lines(about device: Device) -> [String] {
    guard let gpus, gpus != .processor else { return [] }
    guard let model = device.model, let properties = device.properties else {
      return ["GPU available: False, used: False"]
    }
    let kind = device.description == "gpu" ? "GPU" : "OpenCL device"
    let lines = [
      "\(kind) available: True (\(model)), used: True", "\(kind): \(properties)",
    ]
    guard case .gpu(let text) = gpus, text != "1" else { return lines }
    return lines + ["--gpus=\(text): one GPU is used; LAB_OPENCL_DEVICE names another one"]
  }

  /// The result of `body`, which computes on a device. If that fails and `--gpus=auto` was given, the
  /// result of `again`, which computes on the processor.
  ///
  /// - Throws: ``GPUError`` if the device has failed, whatever `body` throws then: what a failed device
  ///   computes is NaN, of which `body` may complain.
  package func recovering<Result>(
    on device: Device, _ body: () throws -> Result, onProcessor again: () throws -> Result
  ) throws -> Result {
    do {
      return try device.checking(body)
    } catch let error as GPUError where gpus == .automatic && device.isGPU {
      StandardError.writeLine("Warning: \(error); continuing on the processor")
      return try again()
    }
  }

  /// The result of `body` on the device that the options ask for. If a GPU fails and `--gpus=auto` was
  /// given, `body` is called again for the processor.
  ///
  /// - Throws: The errors of ``device()``, of ``recovering(on:_:onProcessor:)``, and of `body`.
  package func compute<Result>(
    _ body: (Device) throws -> Result
  ) throws -> (result: Result, device: Device) {
    let device = try device()
    return try recovering(on: device) {
      (try body(device), device)
    } onProcessor: {
      (try body(.cpu), .cpu)
    }
  }
}

/// A value of `--gpus`, as PyTorch Lightning takes it, or `auto`.
public enum GPURequest: Equatable, Sendable, CustomStringConvertible {
  /// `0`.
  case processor
  /// The number of GPUs, -1 for all, or a list of their numbers.
  case gpu(String)
  /// `auto`: a GPU if one can be used, else the processor.
  case automatic

  /// - Throws: A `ValidationError` that says what is expected; the argument parser adds the option's
  ///   name.
  init(_ text: String) throws {
    if text == "auto" {
      self = .automatic
      return
    }
    // Lightning reads "1" as a number of GPUs, and "1," as a list.
    let numbers = text.split(separator: ",").map { Int($0) }
    let least = text.contains(",") ? 0 : -1
    guard !numbers.isEmpty, numbers.allSatisfy({ ($0 ?? .min) >= least }) else {
      throw ValidationError("expected 1, 0 or auto, got \(text.isEmpty ? "nothing" : text)")
    }
    self = text.contains(",") || numbers != [0] ? .gpu(text) : .processor
  }

  public var description: String {
    switch self {
    case .processor: "0"
    case .gpu(let text): text
    case .automatic: "auto"
    }
  }
}

extension Device {
  /// The device in records of runs: `cpu`, or a GPU's name, version, driver, memory and precision.
  package var recordName: String {
    guard let model, let properties else { return description }
    return "\(model), \(properties)"
  }
}

/// The initial weights of a model and states of random generators, to restart a training.
package struct TrainingBeginning {
  private let weights: Safetensors
  private let generators: GeneratorStates

  package init(_ model: some Layer) throws {
    weights = try Checkpoint.file(of: model).inHostMemory()
    generators = GeneratorStates(model)
  }

  /// Moves the model to the processor, as it was in the beginning.
  package func restore(_ model: some Layer) throws {
    model.to(.cpu)
    try Checkpoint.load(weights, of: URL(filePath: "beginning"), into: model)
    generators.restore(model)
  }
}
