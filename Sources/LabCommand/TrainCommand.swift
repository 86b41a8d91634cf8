import ArgumentParser
import Lab

/// `lab train`: the course's `training/run_experiment.py`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model, then test it.",
    discussion: """
      Options are spelled as in the course; hyphens in place of underscores are accepted too. \
      Weights of the best epoch go to output/logs (or LAB_OUTPUT_DIR), data are kept in data \
      (or LAB_DATA_DIR).

        lab train --model_class=CNN --data_class=MNIST --max_epochs=5
        lab train --model_class=CNN --data_class=EMNIST --overfit_batches=2 --max_epochs=50
      """)

  @OptionGroup var experiment: Experiment

  func validate() throws {
    let chosen = experiment.options.modelClass
    let groups: [(ModelClass, any ModelOptions)] = [
      (.CNN, experiment.cnn), (.MLP, experiment.mlp), (.ResNet, experiment.resNet),
    ]
    for (model, options) in groups where model != chosen {
      if let name = givenOption(of: options) {
        throw ValidationError("\(name) belongs to \(model), but --model_class is \(chosen).")
      }
    }
  }

  func run() throws {
    try experiment.run(keepsWeights: true)
  }
}

/// The name of the first of a model's options that stands on the command line.
private func givenOption(of options: any ModelOptions) -> String? {
  let given = Set(
    courseSpelling(Array(CommandLine.arguments.dropFirst())).map {
      String($0.prefix { $0 != "=" })
    })
  // In the help a line for an option begins with its names: `  --stride/--pool   Halve …`.
  let lines = type(of: options).helpMessage().split(separator: "\n")
  let names = lines.compactMap { $0.split(separator: " ").first }.filter { $0.hasPrefix("--") }
  return names.flatMap { $0.split(separator: "/") }.map(String.init).first(where: given.contains)
}
