import Foundation
import Lab
import LabExperiments
import LabTensors
import LabTraining
import OpenCLKernels
import Testing

/// Trainings that move between devices, and trainings whose device fails.
@Suite(.needsOpenCL, .serialized) struct TrainingTests {
  private func data() throws -> ArrayDataModule {
    let generator = Generator(seed: 5)
    func part(_ count: Int) throws -> Dataset {
      let labels = (0..<count).map { _ in UInt8(generator.word64() % 2) }
      let bytes = labels.flatMap { label in
        (0..<16).map { pixel in
          UInt8(generator.word64() % 100) + ((pixel % 4 < 2) == (label == 0) ? 100 : 0)
        }
      }
      return try Dataset(bytes: bytes, dims: [1, 4, 4], labels: labels.map { Int($0) })
    }
    return try ArrayDataModule(
      train: part(40), val: part(16), test: part(16), classes: ["left", "right"], batchSize: 8)
  }

  private func model(_ data: ArrayDataModule) throws -> some Model {
    var options = MLP.Options.defaults
    (options.fc1, options.fc2) = (16, 16)
    return MLP(data.config, options)
  }

  /// Trains a new model for two epochs of five steps, from the state in the folder if there is one.
  private func train(
    on device: Device, in folder: URL, _ set: (Trainer) -> Void = { _ in }
  ) throws -> (history: [Epoch], test: TestResults, weights: [Tensor]) {
    // Other tests draw from the shared generator meanwhile.
    try Generator.$shared.withValue(Generator(seed: 42)) {
      let data = try data()
      let model = try model(data)
      model.to(device)
      let trainer = Trainer(maxEpochs: 2)
      (trainer.isQuiet, trainer.checkpointEverySteps) = (true, 2)
      trainer.run = try TrainingRun(folder)
      set(trainer)
      let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      let test = try trainer.test(model, data)
      return (history, test, model.parameters.map { $0.value.to(.cpu) })
    }
  }

  private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  private func expectSame(
    _ got: (history: [Epoch], test: TestResults, weights: [Tensor]),
    _ expected: (history: [Epoch], test: TestResults, weights: [Tensor]),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(got.history.count == expected.history.count, sourceLocation: sourceLocation)
    for (a, b) in zip(got.history, expected.history) {
      #expect(abs(a.train.loss - b.train.loss) < 1e-4, sourceLocation: sourceLocation)
      let (x, y) = (try #require(a.val).loss, try #require(b.val).loss)
      #expect(abs(x - y) < 1e-4, sourceLocation: sourceLocation)
    }
    #expect(abs(got.test.loss - expected.test.loss) < 1e-4, sourceLocation: sourceLocation)
    for (index, (a, b)) in zip(got.weights, expected.weights).enumerated() {
      // A step of Adam is 0.001, also where the gradient is next to nothing: then its sign may differ.
      expectClose(a, b, 1e-2, "parameter \(index)", sourceLocation)
    }
  }

  /// Three steps on the device, three on the processor, the rest on the device, and the other way
  /// round.
  @Test func aTrainingMovesToTheProcessorAndBack() throws {
    let device = try #require(OpenCL.device)
    try withFolder { whole in
      let expected = try train(on: .cpu, in: whole)
      for devices in [[device, .cpu], [.cpu, device]] {
        try withFolder { folder in
          for part in 0..<2 {
            var asked = 0
            #expect(throws: TrainingInterruption.self) {
              _ = try train(on: devices[part], in: folder) { trainer in
                trainer.isInterrupted = {
                  asked += 1
                  return asked == 3
                }
              }
            }
          }
          try expectSame(train(on: devices[0], in: folder), expected)
        }
      }
    }
    try device.check()
  }

  /// The saved state is that of the last step before the failure that saves one, and the processor
  /// goes on from it.
  @Test(arguments: [3, 5, 8])
  func aDeviceThatFailsEndsTrainingWithItsError(step: Int) throws {
    try withFolder { whole in
      let expected = try train(on: .cpu, in: whole)
      try withFolder { folder in
        let (device, backend) = try ownDevice()
        let failure = GPUError("the device was lost")
        #expect(throws: failure) {
          _ = try train(on: device, in: folder) { trainer in
            trainer.stepEnded = { if $0.totalSteps == step { backend.queue.fail(failure) } }
          }
        }
        let table = try String(
          contentsOf: folder.appending(path: "metrics.csv"), encoding: .utf8)
        #expect(!table.contains("nan"))
        try expectSame(train(on: .cpu, in: folder), expected)
      }
    }
  }

  @Test func aDeviceThatFailsInValidationOrTestEndsThatWithItsError() throws {
    for count in [6, 13] {
      try withFolder { folder in
        let (device, backend) = try ownDevice()
        let failure = GPUError("the device was lost")
        var asked = 0
        #expect(throws: failure) {
          _ = try train(on: device, in: folder) { trainer in
            // It is asked after each of the five steps, and before each of the two batches.
            trainer.isInterrupted = {
              asked += 1
              if asked == count { backend.queue.fail(failure) }
              return false
            }
          }
        }
        #expect(try train(on: .cpu, in: folder).history.count == 2)
      }
    }
  }

  @Test func weightsOfADeviceThatHasFailedAreNotSaved() throws {
    try withFolder { folder in
      let (device, backend) = try ownDevice()
      let failure = GPUError("the device was lost")
      let model = try model(data())
      model.to(device)
      backend.queue.fail(failure)
      let file = folder.appending(path: "weights.safetensors")
      #expect(throws: failure) { try Checkpoint.save(model, to: file) }
      #expect(!FileManager.default.fileExists(atPath: file.path()))
    }
  }

  /// The same trainer goes on, from the state of its run, from its progress, or from the beginning.
  @Test func theSameTrainerGoesOnOnTheProcessor() throws {
    let data = try data()
    let failure = GPUError("the device was lost")
    var options = DeviceOptions()
    options.gpus = .automatic
    func train(_ set: (Trainer) throws -> Void) throws -> [Float] {
      try Generator.$shared.withValue(Generator(seed: 42)) {
        let (device, backend) = try ownDevice()
        let model = try model(data)
        let beginning = try TrainingBeginning(model)
        model.to(device)
        let trainer = Trainer(maxEpochs: 2)
        (trainer.isQuiet, trainer.checkpointEverySteps) = (true, 2)
        try set(trainer)
        trainer.stepEnded = { if $0.totalSteps == 8 { backend.queue.fail(failure) } }
        let history = try options.recovering(on: device) {
          try trainer.fit(model, data, optimizer: Adam(model.parameters))
        } onProcessor: {
          try beginning.restore(model)
          trainer.repeatTraining()
          return try trainer.fit(model, data, optimizer: Adam(model.parameters))
        }
        #expect(model.device == .cpu)
        return history.flatMap { [Float($0.train.loss), Float($0.val?.loss ?? .nan)] }
      }
    }
    let expected = try withFolder { folder in
      try self.train(on: .cpu, in: folder).history
        .flatMap { [Float($0.train.loss), Float($0.val?.loss ?? .nan)] }
    }
    #expect(try train { _ in } == expected)
    try withFolder { folder in
      let losses = [
        try train { $0.run = try TrainingRun(folder) },
        try train { $0.progressFile = folder.appending(path: "progress") },
      ]
      for (a, b) in zip(losses.flatMap { $0 }, expected + expected) { #expect(abs(a - b) < 1e-4) }
      #expect(
        !FileManager.default.fileExists(atPath: folder.appending(path: "progress-2").path()))
    }
  }

  @Test func withAutoTheProcessorGoesOn() throws {
    let (device, backend) = try ownDevice()
    let failure = GPUError("the device was lost")
    let model = try model(data())
    let weights = model.parameters.map(\.value)
    let random = Generator.shared.state
    var options = DeviceOptions()
    for request in [GPURequest.automatic, .gpu("1")] {
      options.gpus = request
      let beginning = try TrainingBeginning(model)
      model.to(device)
      func compute() throws -> Device {
        backend.queue.fail(failure)
        _ = Generator.shared.word64()
        // Not the error that matters.
        throw TrainingError("nan")
      }
      func goOn() throws -> Device {
        try beginning.restore(model)
        return model.device
      }
      if request == .automatic {
        #expect(try options.recovering(on: device, compute, onProcessor: goOn) == .cpu)
        #expect(model.parameters.map(\.value) == weights)
        #expect(Generator.shared.state == random)
      } else {
        #expect(throws: failure) {
          try options.recovering(on: device, compute, onProcessor: goOn)
        }
      }
    }
  }
}

/// A device of its own for a test, since one that has failed stays so.
func ownDevice() throws -> (Device, OpenCLBackend) {
  let backend = try OpenCLBackend(OpenCLDevice.chosen(by: "cpu"), precision: .float32)
  return (Device(backend), backend)
}
