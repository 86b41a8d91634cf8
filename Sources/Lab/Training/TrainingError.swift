/// An error that ends training: one line that says what happened, where, and what to do.
///
/// Advice names properties, such as `limitTrainBatches`. A program whose users set them in another
/// way, such as by options of a command line, can use its own names: see ``description(naming:)``.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A property that can be changed to avoid an error.
  public enum Setting: String, CaseIterable, Sendable {
    /// ``Trainer/maxEpochs``.
    case maxEpochs
    /// ``Trainer/limitTrainBatches``.
    case limitTrainBatches
    /// ``Trainer/limitValBatches``.
    case limitValBatches
    /// ``Trainer/limitTestBatches``.
    case limitTestBatches
    /// ``Trainer/overfitBatches``.
    case overfitBatches
    /// The batch size in the data's options.
    case batchSize
    /// The optimizer's ``Optimizer/learningRate``.
    case learningRate
    /// The largest learning rate of a ``OneCycleLR``.
    case maxLearningRate
    /// The number of steps of a ``OneCycleLR``.
    case totalSteps
    /// ``Trainer/microShards``.
    case microShards
    /// ``Trainer/accumulateBatches``.
    case accumulateBatches
    /// ``Trainer/monitor``.
    case monitor
    /// ``Trainer/gradientNorm``.
    case gradientNorm
    /// ``Trainer/validationInterval``.
    case validationInterval
    /// ``Trainer/averaging``.
    case averaging
    /// ``Trainer/maxSteps``.
    case maxSteps
    /// ``Trainer/maxTime``.
    case maxTime
  }

  fileprivate enum Part: Equatable, Sendable {
    case text(String)
    case setting(Setting)
  }

  private let parts: [Part]

  /// A message that names no setting.
  package init(_ description: String) {
    parts = [.text(description)]
  }

  /// A message with `\(setting:)` where it names one.
  init(advising message: Message) {
    parts = message.stringInterpolation.parts
  }

  /// The whole message, on one line.
  public var description: String { description { $0.rawValue } }

  /// The whole message, on one line, with other names for settings.
  ///
  /// ```swift
  /// error.description                                     // …; raise limitTrainBatches
  /// error.description { _ in "--limit_train_batches" }    // …; raise --limit_train_batches
  /// ```
  ///
  /// - Parameter name: The name of a setting.
  public func description(naming name: (Setting) -> String) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .setting(let setting): name(setting)
      }
    }.joined()
  }

  /// A message in which settings are marked.
  struct Message: ExpressibleByStringInterpolation {
    struct StringInterpolation: StringInterpolationProtocol {
      fileprivate var parts: [Part] = []

      init(literalCapacity: Int, interpolationCount: Int) {}

      mutating func appendLiteral(_ literal: String) { parts.append(.text(literal)) }
      mutating func appendInterpolation(_ value: some Any) { parts.append(.text("\(value)")) }
      mutating func appendInterpolation(setting: Setting) { parts.append(.setting(setting)) }
    }

    fileprivate let stringInterpolation: StringInterpolation

    init(stringInterpolation: StringInterpolation) {
      self.stringInterpolation = stringInterpolation
    }

    init(stringLiteral value: String) {
      var parts = StringInterpolation(literalCapacity: 0, interpolationCount: 0)
      parts.appendLiteral(value)
      stringInterpolation = parts
    }
  }
}

/// Training or testing ended because it was asked to; see ``Trainer/isInterrupted``.
public struct TrainingInterruption: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where it ended: `stopped in epoch 1 after step 37`.
  public let description: String
}
