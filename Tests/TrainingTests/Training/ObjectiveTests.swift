import Foundation
import Lab
import TestSupport
import Testing

/// A user's losses, and objectives with other metrics than accuracy.
@Suite struct ObjectiveTests {
  @Test func lossesAreThoseOfPyTorch() throws {
    let (x, labels) = (pattern([3, 4]), IntTensor([2, 0, 3]))
    #expect(try Loss.crossEntropy(x, labels) == crossEntropy(x, labels))
    #expect(try Loss.multiMargin(x, labels) == multiMarginLoss(x, labels))
    let smoothed = try Loss.crossEntropy(labelSmoothing: 0.25)(x, labels)
    #expect(smoothed == (try crossEntropy(x, labels, labelSmoothing: 0.25)))
    #expect(smoothed != (try crossEntropy(x, labels)))
  }

  @Test func classificationCountsTheLargestLogits() throws {
    let batch = Batch(x: pattern([3, 2]), y: IntTensor([1, 0, 1]))
    let logits = Tensor([0, 1, 1, 0, 3, 2], shape: [3, 2])
    let score = try Classification().score(logits, batch)
    #expect(score.loss == (try crossEntropy(logits, batch.y)))
    #expect(score.metrics.map(\.name) == ["acc"])
    #expect(score.metrics.map(\.sum.item) == [2])
    #expect(score.count == 3 && score.metrics[0].count == 3)
  }

  /// Mixup: the loss of both labels, and both count for the accuracy.
  @Test func classificationMixesLosses() throws {
    let other = IntTensor([0, 0, 1])
    let batch = Batch(
      x: pattern([3, 2]), y: IntTensor([1, 0, 1]), mixing: Mixing(labels: other, share: 0.75))
    let logits = Tensor([0, 1, 1, 0, 3, 2], shape: [3, 2])
    for loss in [Loss.crossEntropy(labelSmoothing: 0.1), .multiMargin] {
      let score = try Classification(loss).score(logits, batch)
      let expected = try 0.75 * loss(logits, batch.y).item + 0.25 * loss(logits, other).item
      #expect(abs(score.loss.item - expected) < 1e-6)
      #expect(score.metrics.map(\.sum.item) == [0.75 * 2 + 0.25])
    }
  }

  @Test func mixupNeedsAnObjectiveThatTakesIt() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 1)
      for (alpha, text) in [
        (0.2, "fit: expected an objective that takes mixed images with mixup, got Distance"),
        (5, "fit: expected mixup from 0.01 to 4.0, got 5.0"),
      ] {
        trainer.mixup = alpha
        let model = seeded(3) { MLP(data.config, small) }
        let error = #expect(throws: TrainingError.self) {
          try trainer.fit(
            model, data, optimizer: Adam(model.parameters), objective: Distance())
        }
        #expect(error.map { "\($0)" } == text)
      }
    }
  }

  /// Does not look at labels.
  private struct Distance: Objective {
    let metricNames = ["loss"]

    func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
      BatchScore(loss: try mean(output * output), count: batch.count)
    }

    func predictions(_ output: Tensor, _ batch: Batch, from first: Int) -> [Int] { [] }
  }

  @Test func aLossMayBeAClosure() throws {
    var weights: [[[Float]]] = []
    let losses: [Loss] = [
      .crossEntropy, Loss { logits, labels throws(ShapeError) in try crossEntropy(logits, labels) },
      .multiMargin,
    ]
    for loss in losses {
      try withTinyData { data in
        let model = try seeded(3) {
          let model = MLP(data.config, small)
          let trainer = quietTrainer(maxEpochs: 1)
          trainer.loss = loss
          try trainer.fit(model, data, optimizer: Adam(model.parameters))
          return model
        }
        weights.append(model.parameters.map(\.value.elements))
      }
    }
    #expect(weights[0] == weights[1])
    #expect(weights[0] != weights[2])
  }

  @Test func aLossThatDoesNotFitIsRefusedInOneLine() throws {
    try withTinyData { data in
      let model = MLP(data.config, small)
      func fit(_ loss: @escaping Loss.Function) throws {
        let trainer = quietTrainer(maxEpochs: 1)
        trainer.loss = Loss(loss)
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
      func expectError(_ text: String, _ body: () throws -> Void) {
        let error = #expect(throws: ShapeError.self) { try body() }
        #expect(error?.description == text)
      }
      expectError(
        "backward: expected a loss of one element, got shape [16, 2]; "
          + "reduce it first, for example with crossEntropy or sum"
      ) { try fit { logits, _ in logits } }
      expectError(
        "backward: expected a loss computed from tensors on this tape, got a tensor that is not on "
          + "it; pass the batch through tape.input(x) before the model"
      ) { try fit { _, _ in Tensor([1], shape: []) } }
      // Without a tape nothing else would notice.
      let trainer = quietTrainer()
      trainer.loss = Loss { logits, _ in logits }
      expectError(
        "fit: expected a loss of one element, got shape [16, 2]; "
          + "an objective's tensors are sums or means over the batch"
      ) { _ = try trainer.test(model, data) }
      expectError(
        "Classification: expected labels in 0..<2, the classes of the logits, got 2; "
          + "the last layer's size is the number of classes"
      ) {
        _ = try Classification(Loss { logits, _ in sum(logits) })
          .score(pattern([1, 2]), Batch(x: pattern([1, 2]), y: IntTensor([2])))
      }
      expectError(
        "Classification: expected logits of shape [1, classes] for labels of shape [1], got [2]"
      ) {
        _ = try Classification(Loss { logits, _ in sum(logits) })
          .score(pattern([2]), Batch(x: pattern([1, 2]), y: IntTensor([1])))
      }
    }
  }

  /// Two metrics besides the loss, with different counts; one of them is not measured in training.
  private struct LeftAndRight: Objective {
    let metricNames = ["loss", "left", "margin"]

    func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
      let left = batch.y.elements.indices.filter { batch.y.elements[$0] == 0 }
      let correct = left.count { output.elements[2 * $0] > output.elements[2 * $0 + 1] }
      var metrics = [MetricSum("left", sum: Tensor([Float(correct)]), count: left.count)]
      if output.tape == nil { metrics.append(MetricSum("margin", sum: Tensor([3]), count: 2)) }
      return BatchScore(
        loss: try crossEntropy(output, batch.y), count: batch.count, metrics: metrics)
    }

    func predictions(_ output: Tensor, _ batch: Batch, from first: Int) -> [String] {
      (0..<batch.count).map { "image \(first + $0)" }
    }
  }

  @Test func anObjectivesMetricsAreLoggedUnderTheirNames() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let model = seeded(1) { MLP(data.config, small) }
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.run = try TrainingRun(folder.url)
      let history = try trainer.fit(
        model, data, optimizer: Adam(model.parameters), objective: LeftAndRight())
      let last = try #require(history.last)
      #expect(last.train["margin"] == nil && last.val?["margin"] == 1.5)
      #expect(last.train.accuracy.isNaN)
      let results = try trainer.test(model, data, objective: LeftAndRight())
      #expect(results.predictions == (0..<30).map { "image \($0)" })
      #expect(results.metrics["margin"] == 1.5)

      try record.write(to: TrainingRun.record(in: folder.url))
      let run = try RunHistory(of: folder.url)
      #expect(
        run.scalars.map(\.name) == [
          "lr", "train_loss_step", "train_loss", "train_left", "train_margin", "val_loss",
          "val_left", "val_margin", "test_loss", "test_left", "test_margin",
        ])
      #expect(run.values(of: Scalar("train_left")).map(\.value) == history.map { $0.train["left"] })
      #expect(run.values(of: Scalar("train_margin")).isEmpty)
      #expect(run.values(of: Scalar("val_margin")).map(\.value) == [1.5, 1.5])
      #expect(run.values(of: Scalar("test_left")).map(\.value) == [results.metrics["left"]])
      #expect(run.epochs == 2)
    }
  }

  private var small: MLP.Options {
    var options = MLP.Options.defaults
    (options.fc1, options.fc2) = (8, 8)
    return options
  }

  private var record: RunRecord {
    get throws {
      try withTinyData { data in
        let model = MLP(data.config, small)
        return RunRecord(
          arguments: [], seed: 1, model: model, options: [:], data: data, versions: [:])
      }
    }
  }
}

/// A trainer that prints nothing.
func quietTrainer(maxEpochs: Int = 1) -> Trainer {
  let trainer = Trainer(maxEpochs: maxEpochs)
  trainer.isQuiet = true
  return trainer
}
