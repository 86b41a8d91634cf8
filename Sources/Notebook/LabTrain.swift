import Lab
import Literate

/// Runs `lab train` with these options in this program: prints the command line, then its output.
/// Weights are not saved. The parameters `--gpus` and `--precision` of the notebook are added to the options;
/// the model ends on the processor. The table of a network that an earlier call has shown is left out.
///
/// ```swift
/// let run = labTrain(["--model_class=CNN", "--data_class=MNIST", "--max_epochs=5"])
/// // $ lab train --model_class=CNN --data_class=MNIST --max_epochs=5
/// // Data: MNIST, train/val/test sizes 55000, 5000, 10000
/// run.results.accuracy
/// ```
///
/// - Parameters:
///   - options: The options as on a command line.
///   - name: The name of the result, unique in the notebook; see `cached(_:training:with:)`. Without
///     a name, the network is trained in each run of the notebook.
///   - line: The line of the call.
/// - Returns: The data, the trained model, the metrics of each epoch, and the results of the test.
@MainActor
package func labTrain(
  _ options: [String], cachedAs name: String? = nil, line: Int = #line, file: String = #filePath
) -> Experiment.Outcome {
  let options = options + NotebookDevice.arguments
  print("$ lab train \(wrapped(options))")
  var experiment = Experiment.parseOrExit(courseSpelling(options))
  return attempt(line: line) {
    try experiment.resolveAccelerator()
    let first = try experiment.setUp()
    let setting = try experiment.chooseBatchSize(first) ? experiment.setUp(isAgain: true) : first
    // What follows in the notebook computes on the processor.
    defer { setting.model.to(.cpu) }
    setting.trainer.showsModelSummary = shownModels.insert(modelSummary(setting.model)).inserted
    guard let name else {
      _ = try experiment.chooseLearningRate(setting)
      return try experiment.fitAndTest(setting)
    }
    for folder in setting.data.fileFolders { noteData(in: folder) }
    let (model, trainer) = (setting.model, setting.trainer)
    let measured = try cached(name, training: model, with: trainer, line: line, file: file) {
      _ = try experiment.chooseLearningRate(setting)
      return try experiment.fitAndTest(setting).measured
    }
    return Experiment.Outcome(setting, measured)
  }
}

/// The tables of models that were printed.
@MainActor private var shownModels: Set<String> = []

/// The options on lines of at most 80 columns, joined by backslashes for a shell.
private func wrapped(_ options: [String]) -> String {
  var lines = [""]
  for option in options {
    if (lines.last ?? "").count + option.count > 65 { lines.append("") }
    lines[lines.count - 1] += lines.last == "" ? option : " \(option)"
  }
  return lines.joined(separator: " \\\n    ")
}
