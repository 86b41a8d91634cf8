extension EMNISTLines {
  /// What can be chosen about the lines; files are kept for each choice.
  public struct Parameters: Codable, Equatable, Sendable {
    /// The number of places for characters in a line.
    public var maxLength: Int
    /// The least share of its width by which a character reaches into the one before.
    public var minOverlap: Double
    /// The greatest share of its width by which a character reaches into the one before.
    public var maxOverlap: Double
    /// The number of lines to learn from.
    public var numTrain: Int
    /// The number of lines to watch.
    public var numVal: Int
    /// The number of lines to test on.
    public var numTest: Int
    /// Whether a line's labels begin with `<S>` and end with `<E>`.
    public var withStartEndTokens: Bool
    /// Where the draws start.
    public var randomStart: RandomStart

    /// The course's parameters, with its defaults.
    public init(
      maxLength: Int = 32, minOverlap: Double = 0, maxOverlap: Double = 0.33,
      numTrain: Int = 10_000, numVal: Int = 2_000, numTest: Int = 2_000,
      withStartEndTokens: Bool = false, randomStart: RandomStart = .stored
    ) {
      self.maxLength = maxLength
      self.minOverlap = minOverlap
      self.maxOverlap = maxOverlap
      self.numTrain = numTrain
      self.numVal = numVal
      self.numTest = numTest
      self.withStartEndTokens = withStartEndTokens
      self.randomStart = randomStart
    }
  }

  /// Where NumPy's random numbers stand when the first line is drawn.
  ///
  /// The course seeds NumPy before it makes its lines, but preparing EMNIST draws from the same
  /// numbers: which lines come out depends on whether EMNIST had been prepared before.
  public enum RandomStart: String, Codable, CaseIterable, Sendable {
    /// At seed 42, as in the course's stored notebook: "phase of", "jobs Each of", "New".
    case stored
    /// Behind the numbers that balance EMNIST's test images, as in the written walkthrough: "it
    /// force", "at this years", "the".
    case walkthrough
  }
}

extension EMNISTLines.Parameters {
  /// The places of a line that its sentence leaves free: the course keeps them for `<S>` and `<E>`,
  /// asked for or not.
  static let reservedPlaces = 2

  /// The number of characters that a line's sentence may have, with a space behind each word.
  var maxSentenceLength: Int { maxLength - Self.reservedPlaces }

  /// Refuses what no lines can be made with.
  ///
  /// - Throws: ``DataError`` that names the parameter.
  public func validate() throws {
    // Even the shortest word has a letter, and the space behind it.
    let lengths = Self.reservedPlaces + 2...1_000
    guard lengths.contains(maxLength) else {
      throw DataError(
        .unusable,
        "max_length: expected \(lengths.lowerBound) to \(lengths.upperBound), got \(maxLength)")
    }
    for (name, overlap) in [("min_overlap", minOverlap), ("max_overlap", maxOverlap)] {
      guard (0...1).contains(overlap) else {
        throw DataError(.unusable, "\(name): expected a number from 0 to 1, got \(overlap)")
      }
    }
    guard minOverlap <= maxOverlap else {
      throw DataError(
        .unusable,
        "min_overlap: expected at most max_overlap, which is \(maxOverlap), got \(minOverlap)")
    }
    let counts = 1...1_000_000
    for (name, count) in [("num_train", numTrain), ("num_val", numVal), ("num_test", numTest)] {
      guard counts.contains(count) else {
        throw DataError(
          .unusable,
          "\(name): expected \(counts.lowerBound) to \(counts.upperBound), got \(count)")
      }
    }
  }

  /// A folder's name for these parameters.
  var folderName: String {
    let tokens = withStartEndTokens ? "-tokens" : ""
    return "length-\(maxLength)-overlap-\(minOverlap)-\(maxOverlap)"
      + "-lines-\(numTrain)-\(numVal)-\(numTest)\(tokens)-\(randomStart)"
  }
}
