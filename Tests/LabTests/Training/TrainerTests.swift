import Foundation
import Kernels
import Lab
import Testing

/// Sets the number of threads, so these tests wait for one another.
@Suite(.serialized)
struct TrainerTests {
  @Test func aModelLearnsAFewBatchesByHeart() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let trainer = Trainer(maxEpochs: 50)
      trainer.overfitBatches = .count(2)
      try trainer.fit(model, data, optimizer: Adam(model.parameters, learningRate: 1e-2))
      let results = try trainer.test(model, data)
      #expect(results.accuracy == 1)
      #expect(results.loss < 0.1)
    }
  }

  @Test func theSameSeedGivesTheSameWeightsWhateverTheThreads() throws {
    let before = Threads.count
    defer { Threads.count = before }
    var weights: [[[Float]]] = []
    for (threads, workers) in [(1, 0), (2, 0), (2, 3), (5, 1)] {
      try withTinyData(workers: workers) { data in
        Threads.count = threads
        let model = try seeded(1) {
          let model = CNN(data.config, small)
          try Trainer(maxEpochs: 2).fit(model, data, optimizer: Adam(model.parameters))
          return model
        }
        weights.append(model.parameters.map(\.value.elements))
      }
    }
    for other in weights.dropFirst() { #expect(other == weights[0]) }
  }

  @Test func theBestAndTheLastCheckpointAreKept() throws {
    try withTinyData { data in
      let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
      defer { try? FileManager.default.removeItem(at: folder) }
      let model = seeded(42) { CNN(data.config, small) }
      let trainer = Trainer(maxEpochs: 4)
      trainer.checkpointFolder = folder
      try trainer.fit(model, data, optimizer: Adam(model.parameters))
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.path(percentEncoded: false))
      let best = try #require(trainer.bestCheckpoint)
      #expect(names.sorted() == [best.lastPathComponent, "last.safetensors"])
      #expect(
        best.lastPathComponent.wholeMatch(of: /epoch=\d{3}-val_loss=\d\.\d{3}\.safetensors/) != nil)
      let restored = CNN(data.config, small)
      try Checkpoint.load(best, into: restored)
      let metadata = try Safetensors(contentsOf: best).metadata
      #expect(metadata["model_class"] == "CNN" && metadata["data_class"] == "Tiny")
      #expect(
        metadata["data_config"]
          == #"{"input_dims":[1,8,8],"mapping":["left","right"],"output_dims":[1]}"#)
      let last = try Safetensors(contentsOf: folder.appending(path: "last.safetensors"))
      #expect(last.tensors["fc2.bias"] == model.fc2.bias.value)
      #expect(last.metadata["epoch"] == "3")
    }
  }

  @Test func trainingEndsEarlyWhenNothingImproves() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let optimizer = CountingOptimizer(model.parameters)
      let trainer = Trainer(maxEpochs: 50)
      trainer.patience = 3
      trainer.limitTrainBatches = .count(1)
      try trainer.fit(model, data, optimizer: optimizer)
      // The first epoch's loss is the smallest; three more bring no smaller one.
      #expect(optimizer.steps == 4)
    }
  }

  @Test func limitsCountBatches() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let optimizer = CountingOptimizer(model.parameters)
      let trainer = Trainer(maxEpochs: 2)
      trainer.limitTrainBatches = .count(3)
      trainer.limitValBatches = .count(0)
      try trainer.fit(model, data, optimizer: optimizer)
      #expect(optimizer.steps == 6)
    }
  }

  @Test func fitTellsWhatEachEpochBrought() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let trainer = Trainer(maxEpochs: 3)
      #expect(trainer.totalSteps(data) == 15)
      let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      #expect(history.count == 3)
      #expect(history.allSatisfy { $0.seconds > 0 && $0.val != nil })
      #expect(history[2].train.loss < history[0].train.loss)
      trainer.limitValBatches = .count(0)
      let blind = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      #expect(blind.allSatisfy { $0.val == nil })
    }
  }

  @Test func testTellsWhatWasTakenForWhat() throws {
    try withTinyData { data in
      let model = seeded(42) { CNN(data.config, small) }
      let results = try Trainer().test(model, data)
      #expect(results.predictions.map(\.position) == Array(0..<30))
      #expect(results.predictions.map(\.label) == (0..<30).map { data.test.label(at: $0) })
      let right = results.predictions.count { $0.isRight }
      #expect(results.accuracy == Double(right) / 30)
      #expect(results.confusion[0, 0] + results.confusion[1, 1] == right)
      let loss = results.predictions.reduce(0) { $0 + Double($1.loss) } / 30
      #expect(abs(results.loss - loss) < 1e-5)
      #expect(results.confusion.mapping == ["left", "right"])
    }
  }

  @Test func aScheduleSetsTheRateOfEachStep() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let optimizer = CountingOptimizer(model.parameters)
      let trainer = Trainer(maxEpochs: 2)
      let schedule = OneCycleLR(maxLearningRate: 0.5, totalSteps: trainer.totalSteps(data))
      try trainer.fit(model, data, optimizer: optimizer, schedule: schedule)
      #expect(optimizer.rates == (0..<10).map(schedule.learningRate))
      #expect(optimizer.momentum == schedule.momentum(at: 9))
    }
  }

  @Test func residualNetworksLearnFromAugmentedImages() throws {
    try withTinyData(augmentation: RandomAffine(translate: 0.1)) { data in
      var options = ResNet.Options.defaults
      options.channels = 4
      let model = try seeded(42) {
        let model = ResNet(data.config, options)
        let optimizer = AdamW(model.parameters, learningRate: 1e-2)
        try Trainer(maxEpochs: 6).fit(model, data, optimizer: optimizer)
        return model
      }
      #expect(try Trainer().test(model, data).accuracy > 0.9)
      #expect(model.stem.norm?.running.batches == 30)
    }
  }

  @Test func errorsSayWhatToDo() throws {
    try withTinyData { data in
      let model = CNN(data.config, small)
      let trainer = Trainer(maxEpochs: 1)
      expectTrainingError(
        "fit: expected a schedule of at least 5 steps, 1 epochs of 5 batches, got 4; leave "
          + "--one_cycle_total_steps out, or give as many"
      ) {
        let schedule = OneCycleLR(maxLearningRate: 1, totalSteps: 4)
        try trainer.fit(model, data, optimizer: SGD(model.parameters), schedule: schedule)
      }
      trainer.limitTestBatches = .count(0)
      expectTrainingError(
        "test: expected at least one batch, got none; raise --limit_test_batches"
      ) { _ = try trainer.test(model, data) }
      trainer.limitTrainBatches = .count(0)
      expectTrainingError(
        "fit: expected at least one batch, got none; raise --limit_train_batches"
      ) { try trainer.fit(model, data, optimizer: SGD(model.parameters)) }
      trainer.limitTrainBatches = .all
      try model.fc2.bias.load(Tensor(repeating: .nan, shape: model.fc2.bias.shape))
      expectTrainingError(
        "fit: expected a finite loss, got nan at epoch 0, step 0; a smaller --lr usually helps"
      ) { try trainer.fit(model, data, optimizer: SGD(model.parameters)) }
    }
  }

  private var small: CNN.Options {
    var options = CNN.Options.defaults
    options.convDim = 4
    options.fcDim = 8
    return options
  }
}

/// Changes nothing, and notes the learning rates.
private final class CountingOptimizer: Optimizer {
  let parameters: [Parameter]
  var (learningRate, momentum) = (0.0, 0.0)
  private(set) var rates: [Double] = []
  var steps: Int { rates.count }

  init(_ parameters: [Parameter]) {
    self.parameters = parameters
  }

  func step() { rates.append(learningRate) }
}

/// Expects a ``TrainingError`` with exactly this text.
private func expectTrainingError(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  let error = #expect(throws: TrainingError.self, sourceLocation: sourceLocation) { try body() }
  #expect(error?.description == text, sourceLocation: sourceLocation)
}
