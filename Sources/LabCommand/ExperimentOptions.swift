import ArgumentParser
import Lab

/// The models that can be trained from the command line.
enum ModelClass: String, CaseIterable {
  case CNN, MLP, ResNet
}

/// Which model to train, from where.
struct ExperimentOptions: ParsableArguments {
  @Option(
    name: .customLong("model_class"), help: choices("The model", default: ModelClass.MLP),
    transform: { try choice($0) })
  var modelClass = ModelClass.MLP

  @Option(
    name: .customLong("load_checkpoint"),
    help: ArgumentHelp("Start from these weights, in safetensors format.", valueName: "file"))
  var loadCheckpoint: String?

  @Option(help: "Initial weights, shuffling and dropout are drawn from this seed.")
  var seed: UInt64 = 42
}
