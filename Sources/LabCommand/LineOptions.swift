import ArgumentParser
import Lab

/// What lines of EMNISTLines are to be like.
struct LineOptions: ParsableArguments {
  private static let defaults = EMNISTLines.Parameters()

  @Option(name: .customLong("max_length"), help: "Characters in a line.")
  var maxLength = defaults.maxLength

  @Option(
    name: .customLong("min_overlap"),
    help: "The least share of its width by which a character reaches into the one before.")
  var minOverlap = defaults.minOverlap

  @Option(name: .customLong("max_overlap"), help: "The greatest such share.")
  var maxOverlap = defaults.maxOverlap

  @Option(name: .customLong("num_train"), help: "Lines to learn from.")
  var numTrain = defaults.numTrain

  @Option(name: .customLong("num_val"), help: "Lines to watch.")
  var numVal = defaults.numVal

  @Option(name: .customLong("num_test"), help: "Lines to test on.")
  var numTest = defaults.numTest

  @Flag(
    name: .customLong("with_start_end_tokens"), help: "Put <S> before and <E> behind a line's text."
  )
  var withStartEndTokens = false

  @Option(
    name: .customLong("random_start"),
    help: ArgumentHelp(
      choices("Where the draws start", default: defaults.randomStart).abstract,
      discussion: """
        stored is the course's notebook: seed 42. walkthrough is the written one: behind the numbers \
        that balance EMNIST's test images.
        """),
    transform: { try choice($0) })
  var randomStart = defaults.randomStart

  /// The same as the library takes them.
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
