import Foundation
import Kernels
import LabNetworks

/// Prints a training's results on standard output: the same lines in every run from the same seed.
final class Console: TrainingObserver {
  private let trainer: Trainer

  init(_ trainer: Trainer) {
    self.trainer = trainer
  }

  func trainingBegan(_ training: TrainingStart) {
    let threads = Threads.count == 1 ? "1 thread" : "\(Threads.count) threads"
    print("Processor: \(Processor.name), \(threads). \(KernelSet.current.description).")
    if trainer.showsModelSummary { print("\n" + summary(of: training)) }
    if training.isResumed, let run = trainer.run {
      print(
        "Resuming \(run.folder.relativePath): epoch \(training.epoch), step \(training.step)")
    }
  }

  func validationEnded(_ validation: TrainingValidation) {
    let title = "Epoch \(validation.epoch)" + (validation.isSynthetic ? " (SYNTHETIC data)" : "")
    let figures = validation.metrics.scalars(of: "val").map {
      "\($0.scalar.name)=\(String(format: "%.4f", $0.value))"
    }
    print("\(title), step \(validation.totalSteps): \(figures.joined(separator: ", "))")
    fflush(nil)
  }

  /// The table of the model's parts, or of its layers.
  private func summary(of training: TrainingStart) -> String {
    if trainer.showsLayers {
      do {
        return try layerSummary(training.model, inputShape: training.inputShape)
      } catch {
        trainer.warn("Warning: the table of layers: \(error); the table of parts follows")
      }
    }
    return modelSummary(training.model, metrics: training.metricNames)
  }

  func epochEnded(_ epoch: TrainingEpoch) {
    let title = "Epoch \(epoch.index)" + (epoch.isSynthetic ? " (SYNTHETIC data)" : "")
    let values =
      epoch.result.train.scalars(of: "train") + (epoch.result.val?.scalars(of: "val") ?? [])
    let figures = values.map { "\($0.scalar.name)=\(String(format: "%.4f", $0.value))" }
    print("\(title): \(figures.joined(separator: ", "))")
    // If the program is killed in the next epoch, this line is in the file.
    fflush(nil)
  }

  func trainingEnded(_ training: TrainingEnd) {
    if let patience = training.patience {
      let monitor = trainer.monitor
      let unit = trainer.validationInterval == .all ? "epochs" : "validations"
      print(
        "\(monitor.name) has not become \(monitor.isLargerBetter ? "larger" : "smaller") for "
          + "\(patience) \(unit): stopping early.")
    }
    if let limit = training.limit { print("Trained for \(limit), as long as allowed: stopping.") }
    if let count = training.averagedEpochs {
      print(
        count > 0
          ? "The weights are the mean of those after the last \(count) epochs."
          : "Training ended before the epochs whose weights would have been averaged.")
    }
    if let best = trainer.bestCheckpoint { print("Best checkpoint: \(best.relativePath)") }
  }
}

/// The table of a model's parts and sizes, as PyTorch Lightning prints it before training.
///
/// ```text
///   | Name      | Type     | Params
/// ---------------------------------------
/// 0 | model     | CNN      | 1.7 M
/// 1 | train_acc | Accuracy | 0
/// ```
///
/// - Parameters:
///   - model: The model to be trained.
///   - metrics: The objective's metrics, each with a row for each part, as in Lightning.
package func modelSummary(_ model: some Layer, metrics: [String] = ["loss", "acc"]) -> String {
  let count = model.parameterCount
  let rows =
    [("model", "\(type(of: model))", readableCount(count))]
    + metrics.filter { $0 != "loss" }.flatMap { name in
      ["train", "val", "test"].map {
        ("\($0)_\(name)", name == "acc" ? "Accuracy" : "Metric", readableCount(0))
      }
    }
  let (lines, width) = alignedColumns(
    [[" ", "Name", "Type", "Params"]]
      + rows.enumerated().map { ["\($0.offset)", $0.element.0, $0.element.1, $0.element.2] })
  // Lightning counts a separator for every column and one more: 5 for these 4 columns, not 3.
  let rule = String(repeating: "-", count: width + 2 * 3)
  return ([lines[0], rule] + lines.dropFirst() + [rule] + modelTotals(model))
    .joined(separator: "\n")
}

/// The lines below a table of a model's parts.
///
/// - Parameters:
///   - model: The model.
///   - multiplyAdds: Those for one image; nil for no such line.
func modelTotals(_ model: some Layer, multiplyAdds: Int? = nil) -> [String] {
  let count = model.parameterCount
  var totals = [
    (readableCount(count), "Trainable params"),
    (readableCount(0), "Non-trainable params"),
    (readableCount(count), "Total params"),
    (String(format: "%.3f", Double(count) * 4 / 1e6), "Total estimated model params size (MB)"),
  ]
  if let multiplyAdds {
    totals.append((readableCount(multiplyAdds), "Total multiply-adds for one image"))
  }
  return totals.map { "\(left($0.0, 10))\($0.1)" }
}

/// A number of parameters to one decimal, with K, M or B for thousands, millions or billions.
package func readableCount(_ count: Int) -> String {
  var (number, unit) = (Double(count), 0)
  while number >= 1000, unit < 4 {
    number /= 1000
    unit += 1
  }
  let text = unit == 0 || number >= 100 ? "\(Int(number))" : String(format: "%.1f", number)
  return unit == 0 ? text : "\(text) \(["", "K", "M", "B", "T"][unit])"
}

private func left(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
