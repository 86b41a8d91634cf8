import Foundation
import Lab
import TestSupport
import Testing

/// Validation, test and checkpoints with averaged weights, while training goes on with its own.
struct WeightAverageTests {
  /// Two epochs of five batches beside a loop that averages by the formula.
  @Test(arguments: [0.5, 0.999])
  func theMovingAverageIsThatOfALoop(decay: Double) throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let (model, other) = (Normalized(), Normalized())
      try Checkpoint.load(
        Checkpoint.file(of: model), of: URL(filePath: "start"), into: other)
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.run = try TrainingRun(folder.url)
      trainer.overfitBatches = .count(5)
      trainer.averaging = .exponential(decay: decay)
      let history = try trainer.fit(
        model, data, optimizer: SGD(model.parameters, learningRate: 0.01, momentum: 0.9))

      let sgd = SGD(other.parameters, learningRate: 0.01, momentum: 0.9)
      var averages = other.numbers
      var (step, losses) = (0, [Double]())
      for _ in 0..<2 {
        let batches = Array(Batches(data.train, batchSize: data.batchSize, workers: 0).prefix(5))
        for batch in batches {
          sgd.clearGradients()
          let tape = Tape()
          try tape.backward(crossEntropy(other(tape.input(batch.x)), batch.y))
          sgd.step()
          step += 1
          let share = 1 - min(decay, Double(1 + step) / Double(10 + step))
          for (index, numbers) in other.numbers.enumerated() {
            averages[index] = zip(averages[index], numbers).map { $0 + share * ($1 - $0) }
          }
        }
        // With averaged weights, which the model has for that time only.
        let own = Checkpoint.file(of: other)
        try other.load(averages)
        let sums = try batches.map {
          try Double(crossEntropy(other($0.x), $0.y).item) * Double($0.count)
        }
        losses.append(sums.reduce(0, +) / Double(batches.reduce(0) { $0 + $1.count }))
        if losses.count < 2 { try Checkpoint.load(own, of: URL(filePath: "own"), into: other) }
      }
      for (numbers, expected) in zip(model.numbers, averages) {
        #expect(zip(numbers, expected).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) })
      }
      for (epoch, loss) in zip(history, losses) {
        #expect(loss > 1e-3 && abs((epoch.val?.loss ?? 0) - loss) < 1e-5 * loss)
      }
      // The last weights are the averaged ones; the state has both.
      let last = try Safetensors(contentsOf: folder.url.appending(path: "last.safetensors"))
      #expect(last.tensors["fc.weight"] == model.fc.weight.value)
      #expect(last.tensors["norm.running_mean"] == model.norm.running.mean)
      let state = try Safetensors(
        contentsOf: folder.url.appending(path: "training_state.safetensors"))
      #expect(state.tensors["average.fc.weight"] == model.fc.weight.value)
      let own = try #require(state.tensors["model.fc.weight"])
      #expect(own != model.fc.weight.value)
      let loss = try trainer.test(model, data).loss
      #expect(abs(loss - losses[1]) < 1e-5 * losses[1])
    }
  }

  /// Five epochs of five batches: the fourth and the fifth one are averaged. PyTorch's `SWALR(optimizer,
  /// swa_lr=0.04, anneal_epochs=2)` goes from 0.01 to 0.04 by way of 0.025.
  @Test(arguments: [(nil, [0.01, 0.01]), (0.04, [0.01, 0.025])] as [(Double?, [Double])])
  func theMeanOfEpochsIsThatOfALoop(rate: Double?, rates: [Double]) throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let (model, other) = (Convolved(), Convolved())
      try Checkpoint.load(Checkpoint.file(of: model), of: URL(filePath: "start"), into: other)
      let trainer = quietTrainer(maxEpochs: 5)
      trainer.run = try TrainingRun(folder.url)
      trainer.overfitBatches = .count(5)
      trainer.averaging = .stochastic(learningRate: rate, annealingEpochs: 2)
      let recorder = RateRecorder()
      trainer.observers = [recorder]
      let history = try trainer.fit(
        model, data, optimizer: SGD(model.parameters, learningRate: 0.01, momentum: 0.9))
      #expect(recorder.averagedEpochs == 2)
      #expect(recorder.rates.prefix(15).allSatisfy { $0 == 0.01 })
      for (index, expected) in rates.enumerated() {
        let own = recorder.rates[(15 + 5 * index)..<(20 + 5 * index)]
        #expect(own.allSatisfy { abs($0 - expected) < 1e-15 })
      }

      let sgd = SGD(other.parameters, learningRate: 0.01, momentum: 0.9)
      var (sums, losses) = ([[Double]](), [Double]())
      let batches = Array(Batches(data.train, batchSize: data.batchSize, workers: 0).prefix(5))
      for epoch in 0..<5 {
        sgd.learningRate = epoch < 3 ? 0.01 : rates[epoch - 3]
        for batch in batches {
          sgd.clearGradients()
          let tape = Tape()
          try tape.backward(crossEntropy(other(tape.input(batch.x)), batch.y))
          sgd.step()
        }
        // Until then the model is validated with its own weights.
        losses.append(try other.loss(on: batches))
        let numbers = other.parameters.map { $0.value.elements.map { Double($0) / 2 } }
        if epoch == 3 { sums = numbers }
        if epoch == 4 {
          sums = zip(sums, numbers).map { sum, numbers in zip(sum, numbers).map { $0 + $1 } }
        }
      }
      #expect(losses[0] > 1e-2)
      for (epoch, loss) in zip(history, losses) {
        #expect(abs((epoch.val?.loss ?? 0) - loss) < 1e-7 + 1e-5 * loss)
      }
      for (parameter, expected) in zip(model.parameters, sums) {
        let pairs = zip(parameter.value.elements, expected)
        #expect(pairs.allSatisfy { abs(Double($0) - $1) < 1e-5 * max(1, abs($1)) })
      }
      // The statistics are those of the mean: each batch counts for a fifth.
      var (means, variances) = ([Double](repeating: 0, count: 2), [Double](repeating: 0, count: 2))
      for batch in batches {
        let output = try model.conv(batch.x)
        let channels = try permute(output, order: [1, 0, 2, 3])
        for channel in 0..<2 {
          let numbers = channels[channel].elements.map { Double($0) }
          let mean = numbers.reduce(0, +) / Double(numbers.count)
          let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
          means[channel] += mean / 5
          variances[channel] += squares / Double(numbers.count - 1) / 5
        }
      }
      try expectClose(model.norm.running.mean, means.map { Float($0) })
      try expectClose(model.norm.running.variance, variances.map { Float($0) })
      #expect(model.norm.running.batches == 5)
      let last = try Safetensors(contentsOf: folder.url.appending(path: "last.safetensors"))
      #expect(last.tensors["conv.weight"] == model.conv.weight.value)
      #expect(last.tensors["norm.running_mean"] == model.norm.running.mean)
      let state = try Safetensors(
        contentsOf: folder.url.appending(path: "training_state.safetensors"))
      for (parameter, own) in zip(
        ["conv.weight", "fc.weight"], [other.conv.weight, other.fc.weight])
      {
        try expectClose(state.tensors["model.\(parameter)"], own.value.elements)
      }
    }
  }

  /// 0.8 of the epochs, rounded down, counted from 1.
  @Test(arguments: [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (10, 7), (1000, 799)])
  func averagingBeginsInTheLastPart(epochs: Int, first: Int) {
    #expect(WeightAveraging.stochastic().firstEpoch(of: epochs) == first)
    #expect(WeightAveraging.exponential(decay: 0.9).firstEpoch(of: epochs) == nil)
  }

  /// ```python
  /// optimizer = torch.optim.SGD([p], lr=0.1)
  /// scheduler = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.05)
  /// ```
  @Test func theLearningRateFollowsPyTorch() {
    let rates = [
      0.1, 0.09877641290737884, 0.09522542485937369, 0.08969463130731183, 0.08272542485937369,
      0.075, 0.06727457514062632, 0.06030536869268818, 0.05477457514062632, 0.05122358709262116,
      0.05, 0.05,
    ]
    let averaging = WeightAveraging.stochastic(learningRate: 0.05)
    for (epoch, rate) in rates.enumerated() {
      #expect(abs(averaging.learningRate(inEpoch: epoch, from: 0.1) - rate) < 1e-15)
    }
    #expect(WeightAveraging.stochastic().learningRate(inEpoch: 3, from: 0.1) == 0.1)
  }

  @Test func aTrainingThatEndsBeforeKeepsItsWeights() throws {
    try withTinyData { data in
      func train(_ averaging: WeightAveraging?) throws -> (weights: Tensor, averaged: Int?) {
        try seeded(4) {
          let model = Normalized()
          let trainer = quietTrainer(maxEpochs: 5)
          (trainer.averaging, trainer.maxSteps) = (averaging, 9)
          let recorder = RateRecorder()
          trainer.observers = [recorder]
          try trainer.fit(model, data, optimizer: SGD(model.parameters, learningRate: 0.01))
          return (model.fc.weight.value, recorder.averagedEpochs)
        }
      }
      let (plain, averaged) = (try train(nil), try train(.stochastic()))
      #expect(plain.weights == averaged.weights)
      #expect(plain.averaged == nil && averaged.averaged == 0)
    }
  }

  @Test func theEpochsThatAreAveragedStayTheSame() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      func train(epochs: Int) throws {
        let (model, trainer) = (Normalized(), quietTrainer(maxEpochs: epochs))
        trainer.run = try TrainingRun(folder.url)
        trainer.averaging = .stochastic()
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
      try train(epochs: 3)
      let error = #expect(throws: TrainingError.self) { try train(epochs: 5) }
      let path = folder.url.appending(path: "training_state.safetensors")
        .path(percentEncoded: false)
      #expect(
        error?.description
          == "\(path): expected weights to be averaged from epoch 2 on as at the run's beginning, got 4; "
          + "do not change maxEpochs")
    }
  }

  /// Of what is measured in training nothing changes.
  @Test func trainingItselfIsTheSame() throws {
    try withTinyData { data in
      func train(_ averaging: WeightAveraging?) throws -> (train: [Metrics], val: [Metrics?]) {
        try seeded(4) {
          let model = Normalized()
          let trainer = quietTrainer(maxEpochs: 3)
          trainer.averaging = averaging
          let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
          return (history.map(\.train), history.map(\.val))
        }
      }
      let (plain, averaged) = (try train(nil), try train(.exponential(decay: 0.9)))
      #expect(plain.train == averaged.train)
      #expect(plain.val != averaged.val)
    }
  }

  @Test func aRunIsNotResumedWithAnotherAverage() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      func train(_ averaging: WeightAveraging?) throws {
        let model = Normalized()
        let trainer = quietTrainer(maxEpochs: 1)
        trainer.run = try TrainingRun(folder.url)
        trainer.averaging = averaging
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
      try train(.exponential(decay: 0.9))
      let path = folder.url.appending(path: "training_state.safetensors")
        .path(percentEncoded: false)
      for (averaging, got) in [
        (nil, "no averaged weights"),
        (.exponential(decay: 0.5), "a moving average of the weights with decay 0.5"),
      ] as [(WeightAveraging?, String)] {
        let error = #expect(throws: TrainingError.self) { try train(averaging) }
        #expect(
          error?.description
            == "\(path): expected a moving average of the weights with decay 0.9 as at the run's "
            + "beginning, got \(got); do not change averaging")
      }
    }
  }
}

/// A linear layer for images of 8×8 pixels behind batch normalization.
struct Normalized: Layer {
  let norm = BatchNorm2d(1)
  let fc = Linear(64, 2)

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try fc(flatten(norm(x))) }

  /// All weights and running statistics.
  var numbers: [[Double]] {
    tensors.map { $0.elements.map { Double($0) } }
  }

  private var tensors: [Tensor] {
    parameters.map(\.value) + [norm.running.mean, norm.running.variance]
  }

  /// Replaces all weights and running statistics.
  func load(_ numbers: [[Double]]) throws {
    let new = zip(tensors, numbers).map { Tensor($1.map { Float($0) }, shape: $0.shape) }
    for (parameter, value) in zip(parameters, new) { try parameter.load(value) }
    try norm.running.load(
      mean: new[new.count - 2], variance: new[new.count - 1], batches: norm.running.batches)
  }
}

/// Batch normalization behind a convolution, whose statistics depend on its weights.
private struct Convolved: Layer {
  let conv = Conv2d(1, 2, kernelSize: 3)
  let norm = BatchNorm2d(2)
  let fc = Linear(72, 2)

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try fc(flatten(norm(conv(x))))
  }

  /// The mean loss, in evaluation mode.
  func loss(on batches: [Batch]) throws -> Double {
    let sums = try batches.map {
      try Double(crossEntropy(self($0.x), $0.y).item) * Double($0.count)
    }
    return sums.reduce(0, +) / Double(batches.reduce(0) { $0 + $1.count })
  }
}

/// Remembers the learning rate of each step.
private final class RateRecorder: TrainingObserver {
  private(set) var rates: [Double] = []
  private(set) var averagedEpochs: Int?

  func stepEnded(_ step: TrainingStep) { rates.append(step.learningRate) }
  func trainingEnded(_ training: TrainingEnd) { averagedEpochs = training.averagedEpochs }
}
