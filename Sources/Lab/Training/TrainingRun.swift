import Foundation
import LabData
import LabNetworks

/// The folder of a training run: its record, its logs, its weights, and the state to resume from.
///
/// ```text
/// output/logs/CNN-MNIST/version_0/run.json                       arguments, seed, data, versions
///                                 metrics.csv                    the metrics of each step and epoch
///                                 events.out.tfevents.lab        the same for TensorBoard, and figures
///                                 epoch=004-val_loss=0.039.safetensors    the best weights
///                                 last.safetensors               the weights of the last epoch
///                                 trace.json                     with a profiler: when what was computed
///                                 training_state.safetensors     the state to resume from
/// ```
public final class TrainingRun {
  /// The folder itself.
  public let folder: URL
  private let metrics: MetricsFile
  private let events: EventFile

  /// Opens the logs in an existing folder.
  ///
  /// - Throws: ``DataError`` if they cannot be written, or `metrics.csv` is damaged.
  public init(_ folder: URL) throws {
    self.folder = folder
    metrics = try MetricsFile(in: folder)
    events = try EventFile(folder.appending(path: Self.eventsName))
  }

  /// The run's record, `run.json`; see ``RunRecord``.
  public static func record(in folder: URL) -> URL { folder.appending(path: "run.json") }

  /// The saved state, to resume from.
  package var state: URL { Self.state(in: folder) }
  static let stateName = "training_state.safetensors"
  /// The intervals that a profiler has measured.
  package static let traceName = "trace.json"
  /// The figure of a test of learning rates.
  package static let learningRatesName = "learning-rates.png"
  static let eventsName = "events.out.tfevents.lab"

  /// The saved state of a run, to resume from.
  static func state(in folder: URL) -> URL { folder.appending(path: stateName) }

  /// The folder of the run that was changed last.
  ///
  /// - Parameter output: The folder with the runs: `logs/NAME/version_N`.
  /// - Throws: ``DataError`` if there is none.
  public static func newest(in output: URL = OutputFolder.url) throws -> URL {
    let folders = all(in: output).map { folder in (folder, lastChange(of: folder)) }
    guard let newest = folders.max(by: { $0.1 < $1.1 }) else {
      let path = output.path(percentEncoded: false)
      throw DataError(
        .unusable, "expected a training run in \(path), found none")
    }
    return newest.0
  }

  /// The folders of all runs, sorted by name.
  ///
  /// - Parameter output: The folder with the runs: `logs/NAME/version_N`.
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
    // A folder that begins with a dot is being created, or was when its program was killed.
    return (names ?? []).filter { !$0.hasPrefix(".") }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
  }

  /// When the metrics were changed, or the record if there are none yet.
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
      folder.appending(path: lockName),
      onWait: {
        throw TrainingError(
          "\(folder.relativePath): another process is training there; wait until it ends")
      }, body)
  }

  /// Whether a process trains in this folder now.
  package static func isHeld(_ folder: URL) -> Bool {
    FileLock.isHeld(folder.appending(path: lockName))
  }

  static let lockName = ".lock"

  /// Begins the logs.
  ///
  /// - Parameters:
  ///   - hyperparameters: The run's options by name, for TensorBoard.
  ///   - metrics: The names of the objective's metrics.
  ///   - norms: The norms of gradients, if they are logged.
  func begin(
    _ hyperparameters: [String: String], metrics: [String], norms: [Scalar] = []
  ) throws {
    for file in files { try file.cut(to: 0) }
    try self.metrics.begin(Scalar.all(of: metrics, norms: norms))
    try events.begin(hyperparameters)
  }

  /// Whether nothing has been logged or saved in a run's folder, except the record.
  package static func isEmpty(_ folder: URL) -> Bool {
    let state = folder.appending(path: stateName).path(percentEncoded: false)
    guard !FileManager.default.fileExists(atPath: state) else { return false }
    let metrics = MetricsFile.url(in: folder)
    guard FileManager.default.fileExists(atPath: metrics.path(percentEncoded: false)) else {
      return true
    }
    // If it cannot be read, it may have rows.
    return (try? MetricsTable(contentsOf: metrics))?.rows.isEmpty ?? false
  }

  /// Whether a run's folder has a state to resume from.
  package static func hasState(_ folder: URL) -> Bool {
    FileManager.default.fileExists(
      atPath: folder.appending(path: stateName).path(percentEncoded: false))
  }

  /// What logs a training in this folder.
  var observers: [any TrainingObserver] { [metrics, events] }

  /// The bytes in each log so far, by file name.
  var logSizes: [String: UInt64] {
    Dictionary(uniqueKeysWithValues: files.map { ($0.url.lastPathComponent, $0.size) })
  }

  /// Cuts the logs back to the sizes that they had when a state was saved. Missing rows are not
  /// restored; a log without its beginning gets a new one.
  ///
  /// - Parameters:
  ///   - sizes: The bytes in each log, by file name.
  ///   - hyperparameters: The run's options by name.
  ///   - names: The names of the objective's metrics.
  ///   - norms: The norms of gradients, if they are logged.
  /// - Returns: A message for each log that is not what the state's log was.
  func restoreLogs(
    to sizes: [String: UInt64], _ hyperparameters: [String: String], metrics names: [String],
    norms: [Scalar] = []
  ) throws -> [String] {
    func size(_ file: LogFile) -> UInt64 { sizes[file.url.lastPathComponent] ?? 0 }
    let rows = try metrics.restore(to: size(metrics.file), Scalar.all(of: names, norms: norms))
    let records = try events.restore(to: size(events.file), hyperparameters)
    return [rows, records].compactMap(\.self)
  }

  /// Waits until the logs are on the disk.
  func synchronizeLogs() throws {
    for file in files { try file.synchronize() }
  }

  private var files: [LogFile] { [metrics.file, events.file] }

  /// Logs an image for TensorBoard.
  ///
  /// - Parameters:
  ///   - png: The bytes of a PNG file.
  ///   - width: Its width in pixels.
  ///   - height: Its height in pixels.
  ///   - name: Its name in TensorBoard.
  ///   - step: The steps made so far, in all epochs.
  /// - Throws: ``DataError`` if the file cannot be written.
  public func log(png: [UInt8], width: Int, height: Int, name: String, step: Int) throws {
    try events.write(png: png, width: width, height: height, name: name, step: step)
  }

  /// Logs the network's graph for TensorBoard.
  ///
  /// - Parameter trace: What the network computes.
  /// - Throws: ``DataError`` if the file cannot be written.
  package func log(_ trace: NetworkTrace) throws {
    try events.write(graph: NetworkGraph(trace).message)
  }

  /// Logs histograms for TensorBoard.
  ///
  /// - Parameters:
  ///   - histograms: The histograms with their names in TensorBoard.
  ///   - step: The steps made so far, in all epochs.
  /// - Throws: ``DataError`` if the file cannot be written.
  package func log(_ histograms: [(name: String, histogram: Histogram)], step: Int) throws {
    try events.write(histograms, step: step)
  }
}
