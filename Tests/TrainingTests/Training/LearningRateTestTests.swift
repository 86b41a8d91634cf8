import Foundation
import Lab
import TestSupport
import Testing

struct LearningRateTestTests {
  /// `numpy.gradient(losses[10:-1]).argmin() + 10`, if it lies before the smallest loss.
  @Test(arguments: [
    (
      [
        4.5, 4.49, 4.48, 4.47, 4.46, 4.45, 4.44, 4.43, 4.42, 4.41, 4.4, 4.38, 4.33, 4.2, 3.9, 3.4,
        3.1, 3.0, 3.2, 4.0,
      ], 14
    ),
    ([Double](repeating: 4.5, count: 10) + [1, 0, 3, 9], 10),
    // NumPy's would be 15, where the loss comes down from a height.
    ([Double](repeating: 4.5, count: 10) + [2.5, 2, 1.9, 8, 9, 7, 3, 2.5], 10),
  ])
  func theSuggestionIsWhereTheLossFallsFastest(losses: [Double], index: Int) {
    let test = LearningRateTest(rates: losses.indices.map { Double($0 + 1) }, losses: losses)
    #expect(test.suggestion == Double(index + 1))
    #expect(LearningRateTest(rates: [1], losses: [1]).suggestion == nil)
    let few = LearningRateTest(
      rates: (0..<12).map(Double.init), losses: [Double](repeating: 1, count: 12))
    #expect(few.suggestion == nil)
  }

  @Test func theModelIsAsBefore() throws {
    try withTinyData { data in
      try seeded(5) {
        var options = CNN.Options.defaults
        (options.convDim, options.fcDim) = (4, 8)
        let model = CNN(data.config, options)
        let before = try Checkpoint.file(of: model).data
        let generator = Generator.shared.state
        let test = try quietTrainer().testLearningRates(
          model, data, optimizer: Adam(model.parameters))
        // More steps than an epoch has batches.
        #expect(test.rates.count > 20 && test.rates.count <= 100)
        #expect(test.rates[0] == 1e-8)
        #expect(abs(test.rates[20] / test.rates[15] - 2.51188643150958) < 1e-9)
        let suggestion = try #require(test.suggestion)
        #expect(suggestion > 1e-8)
        let after = try Checkpoint.file(of: model).data
        #expect(after == before)
        #expect(Generator.shared.state == generator)
      }
    }
  }

  /// The same steps in a loop, without smoothing at the first one.
  @Test func lossesAreThoseOfTraining() throws {
    try withTinyData { data in
      let model = seeded(5) { Linear(64, 2) }
      let trainer = quietTrainer()
      trainer.overfitBatches = .count(2)
      let flat = FlatImages(fc: model)
      let test = try trainer.testLearningRates(
        flat, data, optimizer: SGD(flat.parameters), objective: Classification(), steps: 6,
        range: 0.1...0.8)
      let batches = Array(Batches(data.train, batchSize: data.batchSize, workers: 0).prefix(2))
      let optimizer = SGD(flat.parameters)
      var (sum, weight) = (0.0, 0.0)
      for step in 0..<6 {
        let batch = batches[step % 2]
        optimizer.learningRate = 0.1 * pow(8, Double(step) / 6)
        optimizer.clearGradients()
        let tape = Tape()
        let loss = try crossEntropy(flat(tape.input(batch.x)), batch.y)
        try tape.backward(loss)
        optimizer.step()
        // A mean in which each loss before counts 0.98 times as much.
        sum = 0.98 * sum + Double(loss.detached.item)
        weight = 0.98 * weight + 1
        #expect(abs(test.losses[step] - sum / weight) < 1e-6, "step \(step)")
        #expect(abs(test.rates[step] - optimizer.learningRate) < 1e-12)
      }
    }
  }

  @Test func aTestEndsWhenTheLossGrows() throws {
    try withTinyData { data in
      var options = CNN.Options.defaults
      (options.convDim, options.fcDim) = (4, 8)
      let model = seeded(5) { CNN(data.config, options) }
      let test = try seeded(5) {
        try quietTrainer().testLearningRates(
          model, data, optimizer: SGD(model.parameters), objective: Classification(), steps: 200,
          range: 1e-3...1e15)
      }
      #expect(test.losses.count > 12 && test.losses.count < 190)
      for (index, loss) in test.losses.enumerated().dropFirst(2) {
        let best = try #require(test.losses[..<index].min())
        #expect(loss.isFinite && loss <= 4 * best)
      }
    }
  }
}

/// A linear layer for images.
private struct FlatImages: Layer {
  let fc: Linear

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try fc(flatten(x)) }
}
