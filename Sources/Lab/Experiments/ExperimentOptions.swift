import ArgumentParser
import LabModels
import LabTensors

/// The models that can be trained from the command line.
package enum ModelClass: String, CaseIterable {
  case CNN, MLP, ResNet
}

/// Which model to train, from where.
package struct ExperimentOptions: ParsableArguments {
  @Option(
    name: .customLong("model_class"), help: choices("The model", default: ModelClass.MLP),
    transform: { try choice($0) })
  package var modelClass = ModelClass.MLP

  @Option(
    name: .customLong("load_checkpoint"),
    help: ArgumentHelp("Start from these weights, in safetensors format.", valueName: "file"))
  package var loadCheckpoint: String?

  @Option(
    name: .customLong("resume"), defaultAsFlag: "newest", parsing: .next,
    help: ArgumentHelp(
      "Go on with the run in this folder, or with the newest one, where it stopped.",
      discussion:
        "Options are those it was begun with; others that are given replace them this time.",
      valueName: "folder"))
  package var resume: String?

  @Option(help: "Initial weights, shuffling and dropout are drawn from this seed.")
  package var seed: UInt64 = 42

  package init() {}
}
