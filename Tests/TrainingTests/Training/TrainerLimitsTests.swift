import Foundation
import Lab
import TestSupport
import Testing

/// What Lightning's `Trainer` also takes: limits of gradients, of steps and of time.
struct TrainerLimitsTests {
  // MARK: Gradients

  /// ```python
  /// p = [torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(2))]
  /// p[0].grad, p[1].grad = torch.tensor([3., -4., 0.5]), torch.tensor([12., -0.25])
  /// torch.nn.utils.clip_grad_norm_(p, 1.5)
  /// ```
  @Test(arguments: [
    (
      GradientClipping.norm(1.5),
      [[0.345834255, -0.461112320, 0.057639040], [1.383337021, -0.028819520]] as [[Float]]
    ),
    (.value(1.5), [[1.5, -1.5, 0.5], [1.5, -0.25]]),
    (.norm(100), [[3, -4, 0.5], [12, -0.25]]),
  ])
  func clippingFollowsPyTorch(clipping: GradientClipping, expected: [[Float]]) throws {
    let gradients = [Tensor([3, -4, 0.5]), Tensor([12, -0.25])]
    // One without a gradient stays without.
    let parameters = [3, 2, 1].map { Parameter(Tensor([Float](repeating: 0, count: $0))) }
    for (parameter, gradient) in zip(parameters, gradients) { parameter.setGradient(gradient) }
    try clipping.limit(parameters)
    for (parameter, expected) in zip(parameters, expected) {
      try expectClose(parameter.gradient, expected)
    }
    #expect(parameters[2].gradient == nil)
  }

  /// Five batches of two epochs, of which the last one is a step alone; in a loop of its own as in
  /// PyTorch.
  @Test func accumulatedAndClippedStepsAreThoseOfALoop() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.accumulateBatches = 2
      trainer.gradientClipping = .norm(0.05)
      // Always in the same order.
      trainer.overfitBatches = .count(5)
      let model = seeded(3) { Linear(64, 2) }
      let start = Checkpoint.file(of: model)
      let flat = Flat(fc: model)
      let optimizer = SGD(flat.parameters, learningRate: 0.5, momentum: 0.9)
      try trainer.fit(flat, data, optimizer: optimizer)

      let other = Linear(64, 2)
      try Checkpoint.load(start, of: URL(filePath: "start"), into: other)
      let expected = Flat(fc: other)
      let sgd = SGD(expected.parameters, learningRate: 0.5, momentum: 0.9)
      var (steps, clipped) = (0, 0)
      for _ in 0..<2 {
        let batches = Array(Batches(data.train, batchSize: data.batchSize, workers: 0).prefix(5))
        sgd.clearGradients()
        for (index, batch) in batches.enumerated() {
          let tape = Tape()
          let loss = try crossEntropy(expected(tape.input(batch.x)), batch.y)
          try tape.backward(loss * 0.5)
          guard index % 2 == 1 || index == 4 else { continue }
          let all = expected.parameters.compactMap(\.gradient?.elements).joined()
          let norm = all.reduce(0) { $0 + $1 * $1 }.squareRoot()
          if norm > 0.05 {
            clipped += 1
            for parameter in expected.parameters {
              parameter.setGradient(parameter.gradient.map { $0 * (0.05 / (norm + 1e-6)) })
            }
          }
          sgd.step()
          sgd.clearGradients()
          steps += 1
        }
      }
      #expect(steps == 6 && clipped > 2)
      for (parameter, expected) in zip(flat.parameters, expected.parameters) {
        try expectClose(parameter.value, expected.value.elements)
      }
    }
  }

  /// ```python
  /// first = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1/4, total_iters=3)
  /// then = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)
  /// schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [first, then], [3])
  /// ```
  @Test func theCosineFollowsPyTorch() {
    let rates = [
      0.075, 0.15, 0.225, 0.3, 0.28514533018536287, 0.24352347027881002, 0.18337814009344716,
      0.11662185990655285, 0.05647652972118998, 0.014854669814637145,
    ]
    let schedule = CosineLR(maxLearningRate: 0.3, totalSteps: 10, warmupSteps: 3)
    let optimizer = SGD([Parameter(Tensor([0]))], learningRate: 1, momentum: 0.9)
    for (step, rate) in rates.enumerated() {
      schedule.prepare(optimizer, for: step)
      #expect(abs(optimizer.learningRate - rate) < 1e-14, "step \(step)")
    }
    #expect(optimizer.momentum == 0.9)
    let short = CosineLR(maxLearningRate: 0.3, totalSteps: 1)
    #expect(short.learningRate(at: 0) == 0.3)
  }

  // MARK: Limits

  @Test func stepsEndAnEpochWithItsValidation() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      func train(_ steps: Int?) throws -> (ends: [Int], end: TrainingEnd?, adam: Float) {
        let trainer = quietTrainer(maxEpochs: 4)
        trainer.run = try TrainingRun(folder.url)
        trainer.maxSteps = steps
        let recorder = Recorder()
        trainer.observers = [recorder]
        let flat = seeded(1) { Flat(fc: Linear(64, 2)) }
        let optimizer = Adam(flat.parameters)
        let history = try seeded(1) { try trainer.fit(flat, data, optimizer: optimizer) }
        #expect(history.allSatisfy { $0.val != nil })
        return (recorder.ends, recorder.end, optimizer.state[0]["step"]?.elements.first ?? -1)
      }
      #expect(Trainer(maxEpochs: 4).totalSteps(data) == 20)
      var run = try train(7)
      #expect(run.ends == [5, 7] && run.adam == 7 && run.end?.limit == "7 steps")
      run = try train(7)
      #expect(run.adam == 7 && run.ends.isEmpty)
      // The next epoch begins anew.
      run = try train(9)
      #expect(run.ends == [9] && run.adam == 9)
      run = try train(nil)
      #expect(run.ends == [14] && run.adam == 14 && run.end?.limit == nil)
    }
  }

  @Test func accumulatedStepsCountForLimitsAndSchedules() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 3)
      trainer.accumulateBatches = 2
      #expect(trainer.totalSteps(data) == 9)
      trainer.maxSteps = 4
      #expect(trainer.totalSteps(data) == 4)
      let recorder = Recorder()
      trainer.observers = [recorder]
      let flat = seeded(1) { Flat(fc: Linear(64, 2)) }
      let schedule = CosineLR(maxLearningRate: 0.1, totalSteps: 4)
      try trainer.fit(flat, data, optimizer: SGD(flat.parameters), schedule: schedule)
      // Three steps in the first epoch; the fourth one is two batches.
      #expect(recorder.ends == [5, 7])
      #expect(
        recorder.rates == [0, 0, 1, 1, 2, 3, 3].map { schedule.learningRate(at: $0) })
    }
  }

  @Test func leastEpochsAndStepsHoldEarlyStoppingBack() throws {
    try withTinyData { data in
      func epochs(_ change: (Trainer) -> Void) throws -> Int {
        let trainer = quietTrainer(maxEpochs: 9)
        trainer.patience = 1
        change(trainer)
        let flat = seeded(1) { Flat(fc: Linear(64, 2)) }
        // Nothing is learned: no epoch is better than the first one.
        return try trainer.fit(flat, data, optimizer: SGD(flat.parameters, learningRate: 0)).count
      }
      let counts = [
        try epochs { _ in }, try epochs { $0.minEpochs = 4 }, try epochs { $0.minSteps = 14 },
        try epochs { $0.minSteps = 15 }, try epochs { $0.minSteps = 16 },
        try epochs { $0.maxTime = .nanoseconds(1) },
        try epochs { ($0.maxTime, $0.minEpochs, $0.patience) = (.nanoseconds(1), 3, 9) },
      ]
      #expect(counts == [2, 4, 3, 3, 4, 1, 3])
    }
  }

  @Test func timeEndsAnEpoch() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 9)
      trainer.maxTime = .nanoseconds(1)
      let recorder = Recorder()
      trainer.observers = [recorder]
      let flat = seeded(1) { Flat(fc: Linear(64, 2)) }
      let history = try trainer.fit(flat, data, optimizer: SGD(flat.parameters))
      // A step takes longer than that.
      #expect(history.count == 1 && recorder.ends == [1])
      #expect(recorder.end?.limit == "1e-09 s")
    }
  }

  // MARK: Validation

  @Test func validationMayBeRarer() throws {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 5)
      trainer.validateEveryEpochs = 2
      let flat = seeded(1) { Flat(fc: Linear(64, 2)) }
      let history = try trainer.fit(flat, data, optimizer: SGD(flat.parameters))
      #expect(history.map { $0.val != nil } == [false, true, false, true, false])
    }
  }

  @Test(arguments: [(0, 0), (1, 1), (9, 2), (-1, 2)])
  func validationIsTriedBeforeTheFirstStep(wanted: Int, batches: Int) throws {
    try withTinyData { data in
      func weights(_ count: Int) throws -> (asked: Int, weights: Data) {
        let trainer = quietTrainer(maxEpochs: 1)
        trainer.sanityValBatches = count
        var (asked, before) = (0, -1)
        trainer.isInterrupted = {
          asked += 1
          return false
        }
        // The first step asks once after it.
        trainer.stepEnded = { if $0.totalSteps == 1 { before = asked } }
        return try seeded(1) {
          var options = CNN.Options.defaults
          (options.convDim, options.fcDim) = (4, 8)
          let model = CNN(data.config, options)
          try trainer.fit(model, data, optimizer: SGD(model.parameters, learningRate: 0.1))
          return (before, try Checkpoint.file(of: model).data)
        }
      }
      let with = try weights(wanted)
      #expect(with.asked == batches)
      #expect(try with.weights == weights(0).weights)
    }
  }

  /// What is interrupted before the first step is resumed as well.
  @Test func anInterruptionOfTheFirstValidationLeavesAState() throws {
    let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
    #expect(throws: TrainingInterruption.self) {
      try weights(in: folder.url, sanityBatches: 1, isInterrupted: true)
    }
    #expect(!TrainingRun.isEmpty(folder.url))
    let resumed = try weights(in: folder.url, sanityBatches: 1)
    let expected = try weights(in: other.url, sanityBatches: 0)
    #expect(resumed == expected)
  }

  private func weights(
    in folder: URL, sanityBatches: Int, isInterrupted: Bool = false
  ) throws -> Data {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.run = try TrainingRun(folder)
      trainer.sanityValBatches = sanityBatches
      trainer.isInterrupted = { isInterrupted }
      let flat = seeded(1) { Flat(fc: Linear(64, 2)) }
      _ = try seeded(1) { try trainer.fit(flat, data, optimizer: Adam(flat.parameters)) }
      return try Checkpoint.file(of: flat).data
    }
  }
}

/// A linear layer for images.
private struct Flat: Layer {
  let fc: Linear

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try fc(flatten(x)) }
}

/// Remembers where epochs end.
private final class Recorder: TrainingObserver {
  /// The batches until the end of each epoch.
  private(set) var ends: [Int] = []
  private(set) var rates: [Double] = []
  private(set) var end: TrainingEnd?

  func stepEnded(_ step: TrainingStep) { rates.append(step.learningRate) }
  func epochEnded(_ epoch: TrainingEpoch) { ends.append(epoch.totalSteps) }
  func trainingEnded(_ training: TrainingEnd) { end = training }
}
