import Foundation
import LabData
import LabText

/// A language model for the lines of ``EMNISTLines``.
public struct LineLanguage: Sendable {
  /// The model.
  public let model: CharacterModel
  /// Its perplexity per character of the validation lines' text, and before it those of models of
  /// smaller orders, from 1.
  public let perplexities: [Double]
  /// Whether its text was written for this program.
  public let isSynthetic: Bool

  /// The model's order, size and perplexities.
  public var description: String {
    let texts = perplexities.map { String(format: "%.2f", $0) }
    let smaller = texts.dropLast().enumerated().map { "\($0 + 1): \($1)" }
    return "\(isSynthetic ? "SYNTHETIC language" : "Language") model: order \(model.order), "
      + "\(model.ngramCount) n-grams, perplexity \(texts.last ?? "none") per character of the "
      + "validation lines"
      + (smaller.isEmpty ? "" : " (order \(smaller.joined(separator: ", ")))")
  }
}

extension LineLanguage: CustomStringConvertible {}

extension EMNISTLines {
  /// What a language model is made from.
  private struct LanguageRecipe: Codable, Equatable {
    let version: Int
    let order: Int
    let alphabet: [UInt8]
    let lines: Recipe
  }

  private static let modelName = "model"
  private static let perplexitiesName = "perplexities.json"

  /// A model of the text that no validation or test line uses, which is made once for each choice of
  /// parameters.
  ///
  /// ```swift
  /// let language = try data.languageModel()
  /// search.languageModel = language.model
  /// ```
  ///
  /// If the text is synthetic, the model is made from all of it: it is so short that lines use all of
  /// it.
  ///
  /// - Parameter order: The largest number of characters that a probability depends on, and the
  ///   character itself.
  /// - Throws: ``DataError`` if the order is out of range, or the model cannot be made or stored.
  public func languageModel(order: Int = CharacterModel.defaultOrder) throws -> LineLanguage {
    let name = "\(parameters.folderName(isSynthetic: isSynthetic))-order-\(order)"
    let alphabet = mapping.compactMap { $0.utf8.count == 1 ? $0.utf8.first : nil }.sorted()
    let folder = PreparedFolder(
      url: options.folder.processed("language").appending(path: name, directoryHint: .isDirectory),
      recipe: LanguageRecipe(version: 1, order: order, alphabet: alphabet, lines: recipe))
    let (model, perplexities) = try folder.prepare(
      "the language model of \(Self.name)", report: options.report,
      files: [Self.modelName, Self.perplexitiesName],
      load: { folder in
        let file = folder.appending(path: Self.perplexitiesName)
        let json = try withFile(file, "read") { try Data(contentsOf: file) }
        guard let perplexities = try? JSONDecoder().decode([Double].self, from: json),
          perplexities.count == order
        else {
          throw DataError(
            .damaged,
            "\(file.path(percentEncoded: false)): expected \(order) numbers, got something else")
        }
        return (
          try CharacterModel(contentsOf: folder.appending(path: Self.modelName)), perplexities
        )
      },
      sizes: { ["n-grams": $0.0.ngramCount] },
      make: { folder in
        let parts = try sentencesOfParts()
        let pieces = Self.reservedStretches(parts, of: sentences).rest(of: sentences.text)
        let counts = try CharacterCounts(of: pieces, order: order, alphabet: alphabet)
        options.report("making a language model of order \(order) for \(Self.name), once")
        let models = try (1...order).map { try CharacterModel(counts, order: $0) }
        let perplexities = models.map { $0.perplexity(of: parts[1]) }
        try models[order - 1].write(to: folder.appending(path: Self.modelName))
        let json = try JSONEncoder().encode(perplexities)
        try writeWhole(to: folder.appending(path: Self.perplexitiesName)) {
          try $0.write(contentsOf: json)
        }
      })
    return LineLanguage(
      model: model, perplexities: perplexities, isSynthetic: sentences.isSynthetic)
  }
}
