import LabData
import LabNetworks
import LabTensors

extension TrainingLoop {
  /// Begins stochastic weight averaging if it is time to.
  mutating func beginStochasticAverage() {
    guard let first = state.firstAveragedEpoch, state.epoch >= first, state.stochastic == nil
    else { return }
    schedule?.prepare(optimizer, for: state.optimizerSteps)
    state.stochastic = StochasticAverage(
      steps: state.optimizerSteps, learningRate: optimizer.learningRate)
  }

  /// Sets the learning rate, and perhaps the momentum, for the next step.
  func setLearningRate() {
    guard let stochastic = state.stochastic, let first = state.firstAveragedEpoch else {
      schedule?.prepare(optimizer, for: state.optimizerSteps)
      return
    }
    // The schedule stays where it was; so does the momentum.
    schedule?.prepare(optimizer, for: stochastic.steps)
    optimizer.learningRate =
      state.averaging?.learningRate(inEpoch: state.epoch - first, from: stochastic.learningRate)
      ?? stochastic.learningRate
  }

  /// Adds the weights at the end of an epoch to the mean.
  mutating func averageEpoch() {
    guard var stochastic = state.stochastic else { return }
    stochastic.count += 1
    stochastic.isFinished = false
    state.stochastic = stochastic
    if average == nil {
      average = WeightAverage(model)
    } else {
      average?.move(by: 1 / Double(stochastic.count))
    }
  }

  /// Gives the averaged weights to the model at the end of the training, with statistics of batch
  /// normalization that belong to them.
  mutating func finishAverage() throws {
    let own = WeightAverage(model)
    average?.load()
    guard average != nil, let stochastic = state.stochastic, !stochastic.isFinished else { return }
    try computeStatistics()
    average = WeightAverage(model)
    try saveWeights(as: Checkpoint.lastName, epoch: state.epoch - 1)
    state.stochastic?.isFinished = true
    own.load()
    try saveState()
    average?.load()
  }

  /// Computes the running statistics of batch normalization anew: their mean over the training batches.
  ///
  /// - Throws: ``TrainingInterruption`` if the trainer is interrupted; it is done again when the run is
  ///   resumed.
  private func computeStatistics() throws {
    let all = model.namedStatistics.map(\.statistics)
    guard !all.isEmpty else { return }
    let generators = GeneratorStates(model)
    for statistics in all {
      statistics.reset()
      statistics.isMean = true
    }
    let progress = trainer.progressBar("Statistics", total: data.train.count)
    defer {
      for statistics in all { statistics.isMean = false }
      optimizer.clearGradients()
      generators.restore(model)
      progress?.finish()
    }
    for (index, batch) in batches(data.train).enumerated() {
      if let parallel {
        optimizer.clearGradients()
        _ = try parallel.pass(model, objective, batch, of: data.train.size(ofBatch: index))
      } else {
        try model(Tape().input(batch.x)).materialize()
      }
      try model.device.check()
      if parallel?.hasBeenInterrupted ?? trainer.isInterrupted() {
        throw TrainingInterruption(
          description: "stopped while computing statistics of batch normalization")
      }
      progress?.update(index + 1, loss: .nan)
    }
  }
}
