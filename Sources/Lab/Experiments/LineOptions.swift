import ArgumentParser
import LabData
import LabDatasets

/// The parameters of EMNISTLines.
package struct LineOptions: ParsableArguments {
  private static let defaults = EMNISTLines.Parameters()

  @Option(
    name: .customLong("max_length"),
    help: "The number of characters in a line. (default: \(defaults.maxLength))",
    transform: number)
  var maxLength: Int?

  @Option(
    name: .customLong("min_overlap"),
    help:
      "The minimum overlap of neighbouring characters, as a fraction of their width. (default: \(defaults.minOverlap))",
    transform: number)
  var minOverlap: Double?

  @Option(
    name: .customLong("max_overlap"),
    help: "The maximum overlap. (default: \(defaults.maxOverlap))",
    transform: number)
  var maxOverlap: Double?

  @Option(
    name: .customLong("num_train"),
    help: "The number of training lines. (default: \(defaults.numTrain))",
    transform: number)
  var numTrain: Int?

  @Option(
    name: .customLong("num_val"),
    help: "The number of validation lines. (default: \(defaults.numVal))",
    transform: number)
  var numVal: Int?

  @Option(
    name: .customLong("num_test"), help: "The number of test lines. (default: \(defaults.numTest))",
    transform: number)
  var numTest: Int?

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
  var randomStart: EMNISTLines.RandomStart?

  @Flag(
    name: .customLong("vary_characters"),
    help: "Draw an image for every character of a line. (default: one for each different character)"
  )
  var varyCharacters = false

  @Flag(
    name: .customLong("fresh_lines"),
    help: ArgumentHelp(
      "Train on other lines in each epoch.",
      discussion: """
        They use no text of validation and test lines, which stay the same. A run that is resumed has \
        the same lines as one that never stopped.
        """))
  var freshLines = false

  @Flag(
    name: .customLong("language_model"),
    help: ArgumentHelp(
      "Test lines once more with a beam search and a language model; needs --loss=ctc.",
      discussion: """
        The model of characters is made from text that no validation or test line uses. How much it \
        counts is chosen on the validation lines.
        """))
  var languageModel = false

  package init() {}

  /// The parameters for the library.
  package var parameters: EMNISTLines.Parameters {
    let defaults = Self.defaults
    return EMNISTLines.Parameters(
      maxLength: maxLength ?? defaults.maxLength, minOverlap: minOverlap ?? defaults.minOverlap,
      maxOverlap: maxOverlap ?? defaults.maxOverlap, numTrain: numTrain ?? defaults.numTrain,
      numVal: numVal ?? defaults.numVal, numTest: numTest ?? defaults.numTest,
      withStartEndTokens: withStartEndTokens, randomStart: randomStart ?? defaults.randomStart,
      varyCharacters: varyCharacters, freshLines: freshLines)
  }

  /// The parameters in which runs usually differ, for TensorBoard.
  var hyperparameters: [String: String] {
    let parameters = parameters
    return [
      "max_length": "\(parameters.maxLength)", "min_overlap": "\(parameters.minOverlap)",
      "max_overlap": "\(parameters.maxOverlap)", "num_train": "\(parameters.numTrain)",
      "vary_characters": "\(varyCharacters)", "fresh_lines": "\(freshLines)",
    ]
  }

  /// The first option that was given.
  var given: String? {
    let options = [
      ("max_length", maxLength != nil), ("min_overlap", minOverlap != nil),
      ("max_overlap", maxOverlap != nil), ("num_train", numTrain != nil),
      ("num_val", numVal != nil), ("num_test", numTest != nil),
      ("with_start_end_tokens", withStartEndTokens), ("random_start", randomStart != nil),
      ("vary_characters", varyCharacters), ("fresh_lines", freshLines),
      ("language_model", languageModel),
    ]
    return options.first { $0.1 }.map { "--\($0.0)" }
  }

  package func validate() throws {
    do {
      try parameters.validate()
    } catch {
      throw ValidationError("--\(error)")
    }
  }
}
