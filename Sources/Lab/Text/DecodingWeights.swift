import LabData

/// Two weights of a ``BeamSearch`` and how well it reads with them.
public struct WeightTrial: Equatable, Sendable {
  /// The weight of the language model.
  public let languageWeight: Double
  /// What each character adds to the score.
  public let lengthBonus: Double
  /// All edits divided by all characters of the reference.
  public let characterErrorRate: Double
}

extension BeamSearch {
  /// Tries some weights on validation lines, and returns the search with the best ones.
  ///
  /// ```swift
  /// let (best, trials) = try search.choosingWeights(on: lines, labels: labels)
  /// best.languageWeight  // 0.6
  /// ```
  ///
  /// - Parameters:
  ///   - lines: The log-probabilities of each line.
  ///   - labels: The labels of each line's text, without special tokens.
  ///   - languageWeights: The weights to try.
  ///   - lengthBonuses: The bonuses to try with each of them.
  /// - Returns: The search with the weights of the lowest character error rate, of equal ones the
  ///   first, and all trials in the order in which they were made.
  /// - Throws: ``DataError`` if there are not as many texts as lines, or the number of classes is not
  ///   that of the mapping.
  public func choosingWeights(
    on lines: [LogProbabilities], labels: [[Int]],
    languageWeights: [Double] = [0.25, 0.5, 0.75, 1, 1.25],
    lengthBonuses: [Double] = [0, 0.5, 1, 1.5]
  ) throws -> (best: BeamSearch, trials: [WeightTrial]) {
    guard lines.count == labels.count else {
      throw DataError(
        .unusable,
        "choosingWeights: expected the labels of \(lines.count) lines, got \(labels.count)")
    }
    var search = self
    var trials: [WeightTrial] = []
    var best: (search: BeamSearch, rate: Double)?
    for languageWeight in languageWeights {
      for lengthBonus in lengthBonuses {
        (search.languageWeight, search.lengthBonus) = (languageWeight, lengthBonus)
        let read = try search.read(lines).map { $0.first?.labels ?? [] }
        let rate = characterErrorRate(read, labels)
        trials.append(
          WeightTrial(
            languageWeight: languageWeight, lengthBonus: lengthBonus, characterErrorRate: rate))
        if rate < best?.rate ?? .infinity { best = (search, rate) }
      }
    }
    return (best?.search ?? self, trials)
  }
}

/// All edits between texts that were read and their references, divided by all characters of the
/// references.
///
/// ```swift
/// characterErrorRate([[1, 2], [3]], [[1, 2, 3], [3]])  // 0.25
/// ```
///
/// - Parameters:
///   - read: The labels that were read of each line.
///   - references: The labels of each line.
public func characterErrorRate(_ read: [[Int]], _ references: [[Int]]) -> Double {
  let edits = zip(read, references).reduce(0) { $0 + editDistance($1.0, $1.1) }
  return Double(edits) / Double(max(1, references.reduce(0) { $0 + $1.count }))
}
