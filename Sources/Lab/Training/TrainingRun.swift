import Foundation
import LabDatasets

/// The folder of a training run: what it was started with, its logs, its weights, and what it takes
/// to go on.
///
/// ```text
/// output/logs/CNN-MNIST/version_0/run.json                       arguments, seed, data, versions
///                                 metrics.csv                    what each step and epoch brought
///                                 events.out.tfevents.lab        the same for TensorBoard, and figures
///                                 epoch=004-val_loss=0.039.safetensors    the best weights
///                                 last.safetensors               those of the last epoch
///                                 training_state.safetensors     where to go on
/// ```
public final class TrainingRun {
  /// The folder itself.
  public let folder: URL
  private let metrics: MetricsFile
  private let events: EventFile

  /// Opens the logs in a folder that is there.
  ///
  /// - Throws: ``DataError`` if they cannot be written.
  public init(_ folder: URL) throws {
    self.folder = folder
    metrics = try MetricsFile(in: folder)
    events = try EventFile(folder.appending(path: "events.out.tfevents.lab"))
  }

  /// What the run was started with.
  public static func record(in folder: URL) -> URL { folder.appending(path: "run.json") }

  /// Where the run is: the file to go on from.
  var state: URL { folder.appending(path: "training_state.safetensors") }

  /// The folder of the run that was written to last.
  ///
  /// - Parameter output: The folder that runs are in: `logs/NAME/version_N`.
  /// - Throws: ``DataError`` if there is none.
  public static func newest(in output: URL = OutputFolder.url) throws -> URL {
    let folders = all(in: output).map { folder in (folder, lastChange(of: folder)) }
    guard let newest = folders.max(by: { $0.1 < $1.1 }) else {
      let path = output.path(percentEncoded: false)
      throw DataError(
        .unusable, "expected a training run in \(path), found none; lab train begins one")
    }
    return newest.0
  }

  /// The folders of all runs, in the order of their names.
  ///
  /// - Parameter output: The folder that runs are in: `logs/NAME/version_N`.
  public static func all(in output: URL = OutputFolder.url) -> [URL] {
    let logs = output.appending(path: "logs", directoryHint: .isDirectory)
    let folders = contents(of: logs).flatMap { name in
      contents(of: logs.appending(path: name, directoryHint: .isDirectory))
        .map { logs.appending(path: "\(name)/\($0)", directoryHint: .isDirectory) }
    }
    return folders.filter {
      FileManager.default.fileExists(atPath: record(in: $0).path(percentEncoded: false))
    }
  }

  private static func contents(of folder: URL) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    // What begins with a dot is being made, or was when its program was killed.
    return (names ?? []).filter { !$0.hasPrefix(".") }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
  }

  /// When the metrics were written to, or the record where there are none yet.
  private static func lastChange(of folder: URL) -> Date {
    let dates = [MetricsFile.url(in: folder), record(in: folder)].lazy.compactMap {
      try? $0.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
    }
    return dates.first ?? .distantPast
  }

  /// Runs `body` while no other process trains in this folder.
  ///
  /// - Throws: ``TrainingError`` if another one does, or what `body` throws.
  public static func hold<Result>(_ folder: URL, _ body: () throws -> Result) throws -> Result {
    try FileLock.hold(
      folder.appending(path: ".lock"),
      onWait: {
        throw TrainingError(
          "\(folder.relativePath): another process is training there; wait for its end")
      }, body)
  }

  /// Begins the logs.
  ///
  /// - Parameter hyperparameters: What the run was started with, by name.
  func begin(_ hyperparameters: [String: String]) throws {
    try cut(to: [:])
    try metrics.begin()
    try events.begin(hyperparameters)
  }

  /// Whether nothing has been logged or kept but what the run was started with.
  public var isEmpty: Bool {
    metrics.isEmpty && !FileManager.default.fileExists(atPath: state.path(percentEncoded: false))
  }

  /// Ends the logs.
  func end(step: Int) throws {
    try events.end(step: step)
  }

  /// The bytes in each log so far.
  var logSizes: [String: UInt64] {
    Dictionary(uniqueKeysWithValues: logs.map { ($0.url.lastPathComponent, $0.size) })
  }

  /// Forgets what was logged behind these sizes.
  func cut(to sizes: [String: UInt64]) throws {
    for log in logs { try log.cut(to: sizes[log.url.lastPathComponent] ?? 0) }
  }

  private var logs: [LogFile] { [metrics.log, events.log] }

  /// Logs scalars.
  ///
  /// - Parameters:
  ///   - scalars: What to log.
  ///   - epoch: The epoch, from 0.
  ///   - step: The steps made so far, in all epochs.
  func log(_ scalars: [Scalar: Double], epoch: Int, step: Int) throws {
    try metrics.write(scalars, epoch: epoch, step: step)
    try events.write(scalars, step: step)
  }

  /// Logs an image for TensorBoard.
  ///
  /// - Parameters:
  ///   - png: The bytes of a PNG file.
  ///   - width: Its width in pixels.
  ///   - height: Its height in pixels.
  ///   - name: What it is called.
  ///   - step: The steps made so far, in all epochs.
  /// - Throws: ``DataError`` if the file cannot be written.
  public func log(png: [UInt8], width: Int, height: Int, name: String, step: Int) throws {
    try events.write(png: png, width: width, height: height, name: name, step: step)
  }
}
