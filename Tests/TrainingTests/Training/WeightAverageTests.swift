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
