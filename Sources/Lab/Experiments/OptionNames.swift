import LabTraining

/// Runs `body`; a ``TrainingError`` that it throws names the command line's options where it named the
/// library's properties.
package func withOptionNames<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as TrainingError {
    throw TrainingError(error.description(naming: option))
  }
}

private func option(_ setting: TrainingError.Setting) -> String {
  switch setting {
  case .maxEpochs: "--max_epochs"
  case .limitTrainBatches: "--limit_train_batches"
  case .limitValBatches: "--limit_val_batches"
  case .limitTestBatches: "--limit_test_batches"
  case .overfitBatches: "--overfit_batches"
  case .batchSize: "--batch_size"
  case .learningRate: "--lr"
  case .maxLearningRate: "--one_cycle_max_lr"
  case .totalSteps: "--one_cycle_total_steps"
  case .microShards: "--micro_shards"
  case .accumulateBatches: "--accumulate_grad_batches"
  case .monitor: "--monitor"
  case .gradientNorm: "--track_grad_norm"
  case .validationInterval: "--val_check_interval"
  case .averaging: "--ema_decay and --stochastic_weight_avg"
  case .maxSteps: "--max_steps"
  case .maxTime: "--max_time"
  }
}
