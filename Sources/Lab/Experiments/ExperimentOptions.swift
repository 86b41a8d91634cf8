import ArgumentParser
import LabModels

/// Which model to train, and where to start.
package struct ExperimentOptions: ParsableArguments {
  /// The model if none is given.
  package static let defaultModel = modelName(MLP.self)

  @Option(
    name: .customLong("model_class"),
    help: ArgumentHelp(
      "The model: \(ModelRegistry.current.names.joined(separator: ", ")). "
        + "(default: \(defaultModel), or that of --load_checkpoint)"),
    transform: { name in
      do throws(OptionError) {
        _ = try ModelRegistry.current.model(named: name)
        return name
      } catch {
        throw ValidationError(error.problem)
      }
    })
  package var modelClass: String?

  @Option(
    name: .customLong("load_checkpoint"),
    help: ArgumentHelp(
      "Start from these weights, in safetensors format.",
      discussion: "The model and its options are those of the checkpoint, if it records them.",
      valueName: "file"))
  package var loadCheckpoint: String?

  @Option(
    name: .customLong("resume"), defaultAsFlag: "newest", parsing: .next,
    help: ArgumentHelp(
      "Continue the run in this folder, or the newest run, where it stopped.",
      discussion: """
        The run's options are reused. Options given again override them, except the seed, the \
        model and its options, which must stay the same.
        """,
      valueName: "folder"))
  package var resume: String?

  @Option(
    help: "The seed of initial weights, shuffling and dropout. (default: 42)",
    transform: number)
  package var seed: UInt64?

  package init() {}
}
