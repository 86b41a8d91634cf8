import Lab
import Literate

/// Does in this program what `lab train` does with these options: prints the command line, then what
/// that prints. Weights are not kept.
///
/// ```swift
/// let run = labTrain(["--model_class=CNN", "--data_class=MNIST", "--max_epochs=5"])
/// // $ lab train --model_class=CNN --data_class=MNIST --max_epochs=5
/// // Data: MNIST, train/val/test sizes 55000, 5000, 10000
/// run.results.accuracy
/// ```
///
/// - Parameters:
///   - options: The options, each of them spelled as on a command line.
///   - line: The line of the call.
/// - Returns: Data, trained model, what each epoch brought, and what the test images gave.
@MainActor
package func labTrain(_ options: [String], line: Int = #line) -> Experiment.Outcome {
  print("$ lab train \(wrapped(options))")
  let experiment = Experiment.parseOrExit(courseSpelling(options))
  return attempt(line: line) { try experiment.fitAndTest(experiment.setUp()) }
}

/// The options on lines of at most 80 columns, as a shell takes them.
private func wrapped(_ options: [String]) -> String {
  var lines = [""]
  for option in options {
    if (lines.last ?? "").count + option.count > 65 { lines.append("") }
    lines[lines.count - 1] += lines.last == "" ? option : " \(option)"
  }
  return lines.joined(separator: " \\\n    ")
}
