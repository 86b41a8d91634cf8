import LabData
import LabNetworks
import LabTensors

/// Is called during training: to print, to log, to draw. Every method does nothing by default.
///
/// ```swift
/// final class LossPrinter: TrainingObserver {
///   func epochEnded(_ epoch: TrainingEpoch) {
///     print(epoch.index, epoch.result.train.loss)
///   }
/// }
///
/// trainer.observers.append(LossPrinter())
/// ```
///
/// An error of an observer does not end training. It gives a warning of one line, once per epoch, and
/// training continues. To end training use ``Trainer/isInterrupted``.
///
/// | order | called |
/// | --- | --- |
/// | ``trainingBegan(_:)`` | once, after the state of a resumed run was loaded |
/// | ``stepEnded(_:)`` | after each batch; the optimizer's step was made, unless gradients are accumulated |
/// | ``log(_:)`` | some steps later: the step's values, as soon as they are read from the device |
/// | ``validationEnded(_:)`` | after a validation inside an epoch, followed by ``log(_:)`` |
/// | ``epochEnded(_:)`` | after validation, followed by ``log(_:)`` |
/// | ``epochSaved(_:)`` | after the weights and the state were saved |
/// | ``trainingEnded(_:)`` | once, unless an error ends training |
/// | ``testEnded(_:step:)`` | after ``log(_:)`` with the test's metrics |
public protocol TrainingObserver: AnyObject {
  func trainingBegan(_ training: TrainingStart) throws
  /// Called after each step. Its loss may not be computed yet; reading it waits for that.
  func stepEnded(_ step: TrainingStep) throws
  /// Called with the values of a step, an epoch or a test, in the order of the steps.
  func log(_ entry: LogEntry) throws
  /// Called after a validation inside an epoch; see ``Trainer/validationInterval``.
  func validationEnded(_ validation: TrainingValidation) throws
  /// Called when an epoch has ended, before it is saved. If the program crashes in between, the
  /// resumed run repeats the steps since the last saved state, and ends this epoch again.
  func epochEnded(_ epoch: TrainingEpoch) throws
  /// Called when an epoch was saved: the time for what takes long or may fail, such as figures.
  ///
  /// A run that is resumed at the end of an epoch calls this again for that epoch, since it may have
  /// been killed before.
  func epochSaved(_ epoch: TrainingEpoch) throws
  func trainingEnded(_ training: TrainingEnd) throws
  /// Called after a test.
  ///
  /// - Parameters:
  ///   - metrics: The metrics of the test.
  ///   - step: The steps made until then, in all epochs.
  func testEnded(_ metrics: Metrics, step: Int) throws
}

extension TrainingObserver {
  public func trainingBegan(_ training: TrainingStart) throws {}
  public func stepEnded(_ step: TrainingStep) throws {}
  public func log(_ entry: LogEntry) throws {}
  public func validationEnded(_ validation: TrainingValidation) throws {}
  public func epochEnded(_ epoch: TrainingEpoch) throws {}
  public func epochSaved(_ epoch: TrainingEpoch) throws {}
  public func trainingEnded(_ training: TrainingEnd) throws {}
  public func testEnded(_ metrics: Metrics, step: Int) throws {}
}

/// The beginning of a training.
public struct TrainingStart {
  /// The model.
  public let model: any Layer
  /// The names of the objective's metrics.
  public let metricNames: [String]
  /// The shape of a batch of images.
  public let inputShape: [Int]
  /// The batches of an epoch.
  public let stepsPerEpoch: Int
  /// The first epoch, from 0; later in a resumed run.
  public let epoch: Int
  /// The steps of that epoch that were already made.
  public let step: Int
  /// Whether a saved state was loaded.
  public let isResumed: Bool
}

/// A batch that was trained on.
public struct TrainingStep {
  /// The epoch, from 0.
  public let epoch: Int
  /// The steps made in this epoch, including this one.
  public let step: Int
  /// The steps made in all epochs, including this one.
  public let totalSteps: Int
  /// The learning rate of this step.
  public let learningRate: Double
  /// The batch's mean loss, a tensor of one element. Reading it waits until it is computed.
  public let loss: Tensor
}

/// Values at a point of the training.
public struct LogEntry {
  public typealias Value = (scalar: Scalar, value: Double)

  /// The epoch, from 0.
  public let epoch: Int
  /// The steps made until then, in all epochs.
  public let step: Int
  /// The values: learning rate and loss of a step, or the metrics of an epoch or a test.
  public let values: [Value]

  package init(epoch: Int, step: Int, values: [Value]) {
    (self.epoch, self.step, self.values) = (epoch, step, values)
  }
}

/// A validation inside an epoch.
public struct TrainingValidation {
  /// The epoch, from 0.
  public let epoch: Int
  /// The steps made until then, in all epochs.
  public let totalSteps: Int
  /// The metrics of the validation batches.
  public let metrics: Metrics
  /// Whether the images were drawn by the program.
  public let isSynthetic: Bool
}

/// An epoch that ended.
public struct TrainingEpoch {
  /// The epoch, from 0.
  public let index: Int
  /// The steps made until then, in all epochs.
  public let totalSteps: Int
  /// Its metrics.
  public let result: Epoch
  /// Whether the images were drawn by the program.
  public let isSynthetic: Bool
}

/// The end of a training.
public struct TrainingEnd {
  /// For how many epochs, or validations, ``Trainer/monitor`` had not become better, if that ended the
  /// training.
  public let patience: Int?
  /// What ended training before ``Trainer/maxEpochs``, such as `500 steps`, if the trainer has such a limit.
  public let limit: String?
  /// The number of epochs whose weights were averaged, with
  /// ``WeightAveraging/stochastic(start:learningRate:annealingEpochs:)``.
  public let averagedEpochs: Int?
  /// The results of all epochs.
  public let history: [Epoch]
}

/// Calls observers, and gives warnings for those that fail.
final class Observers {
  private let observers: [any TrainingObserver]
  private let warn: (String) -> Void
  /// The observers that failed in this epoch.
  private var failed: Set<ObjectIdentifier> = []

  init(_ observers: [any TrainingObserver], warn: @escaping (String) -> Void) {
    self.observers = observers
    self.warn = warn
  }

  func notify(_ call: (any TrainingObserver) throws -> Void) {
    for observer in observers {
      do {
        try call(observer)
      } catch {
        guard failed.insert(ObjectIdentifier(observer)).inserted else { continue }
        let name = (observer as? ClosureObserver)?.name ?? "\(type(of: observer))"
        warn("Warning: \(name): \(error); training continues")
      }
    }
  }

  /// Allows another warning for each observer.
  func epochBegins() { failed = [] }
}

/// A closure of a trainer.
final class ClosureObserver: TrainingObserver {
  let name: String
  private let step: ((TrainingStep) throws -> Void)?
  private let epoch: ((Int) throws -> Void)?

  /// - Parameters:
  ///   - name: The trainer's property.
  ///   - step: Called after each step.
  ///   - epoch: Called after each epoch was saved, with the steps made so far.
  init(
    _ name: String, step: ((TrainingStep) throws -> Void)? = nil,
    epoch: ((Int) throws -> Void)? = nil
  ) {
    (self.name, self.step, self.epoch) = (name, step, epoch)
  }

  func stepEnded(_ step: TrainingStep) throws { try self.step?(step) }
  func epochSaved(_ epoch: TrainingEpoch) throws { try self.epoch?(epoch.totalSteps) }
}
