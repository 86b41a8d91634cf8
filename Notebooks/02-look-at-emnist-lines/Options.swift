import ArgumentParser
import Lab
import Notebook

/// What may be changed on the notebook's command line.
struct Options: ParsableArguments {
  @Option(
    name: .customLong("random_start"),
    help: choices(
      "Where the lines' draws start, as in the course's notebook or the written walkthrough",
      default: EMNISTLines.RandomStart.stored),
    transform: { try choice($0) })
  var randomStart = EMNISTLines.RandomStart.stored

  @OptionGroup var notebook: NotebookOptions
}
