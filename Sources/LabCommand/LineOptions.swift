import ArgumentParser
import Lab

/// The parameters of EMNISTLines.
struct LineOptions: ParsableArguments {
  private static let defaults = EMNISTLines.Parameters()

  @Option(
    name: .customLong("max_length"),
    help: "The number of characters in a line. (default: \(defaults.maxLength))",
    transform: number)
  var maxLength = defaults.maxLength

  @Option(
    name: .customLong("min_overlap"),
    help:
      "The minimum overlap of neighbouring characters, as a fraction of their width. (default: \(defaults.minOverlap))",
    transform: number)
  var minOverlap = defaults.minOverlap

  @Option(
    name: .customLong("max_overlap"),
    help: "The maximum overlap. (default: \(defaults.maxOverlap))",
    transform: number)
  var maxOverlap = defaults.maxOverlap

  @Option(
    name: .customLong("num_train"),
    help: "The number of training lines. (default: \(defaults.numTrain))",
    transform: number)
  var numTrain = defaults.numTrain

  @Option(
    name: .customLong("num_val"),
    help: "The number of validation lines. (default: \(defaults.numVal))",
    transform: number)
  var numVal = defaults.numVal

  @Option(
    name: .customLong("num_test"), help: "The number of test lines. (default: \(defaults.numTest))",
    transform: number)
  var numTest = defaults.numTest

  @Flag(
    name: .customLong("with_start_end_tokens"),
    help: "Add <S> before and <E> after the text of a line."
  )
  var withStartEndTokens = false

  @Option(
    name: .customLong("random_start"),
    help: ArgumentHelp(
      choices("The state of the random draws", default: defaults.randomStart).abstract,
      discussion: """
        stored is that of the course's notebook: seed 42. walkthrough is that of the written \
        walkthrough: the state after balancing EMNIST's test images.
        """),
    transform: { try choice($0) })
  var randomStart = defaults.randomStart

  /// The parameters for the library.
  var parameters: EMNISTLines.Parameters {
    EMNISTLines.Parameters(
      maxLength: maxLength, minOverlap: minOverlap, maxOverlap: maxOverlap, numTrain: numTrain,
      numVal: numVal, numTest: numTest, withStartEndTokens: withStartEndTokens,
      randomStart: randomStart)
  }

  func validate() throws {
    do {
      try parameters.validate()
    } catch {
      throw ValidationError("--\(error)")
    }
  }
}
