import Foundation
import LabData

/// The folder for output: `LAB_OUTPUT_DIR`, or `output` in the current folder.
public enum OutputFolder {
  /// The folder itself.
  public static var url: URL {
    let path = ProcessInfo.processInfo.environment["LAB_OUTPUT_DIR"] ?? ""
    return URL(filePath: path.isEmpty ? "output" : path, directoryHint: .isDirectory)
  }

  /// Creates a folder for a training run, `logs/NAME/version_N` with the first N that is free.
  ///
  /// The folder appears with the record in it, or not at all: a program that is killed here leaves
  /// no folder behind and uses up no number.
  ///
  /// - Parameters:
  ///   - name: The run's name; runs of one name are numbered together.
  ///   - record: The run's record.
  ///   - output: The folder of `logs`.
  /// - Throws: ``DataError`` if it cannot be created.
  public static func newRun(
    _ name: String, _ record: RunRecord, in output: URL = OutputFolder.url
  ) throws -> URL {
    let runs = output.appending(path: "logs/\(name)", directoryHint: .isDirectory)
    let part = runs.appending(path: ".\(randomName()).part", directoryHint: .isDirectory)
    try createFolder(runs)
    do {
      try record.write(to: TrainingRun.record(in: part))
      var version = 0
      while true {
        let folder = runs.appending(path: "version_\(version)", directoryHint: .isDirectory)
        // Another run may take the number at the same moment; only one rename succeeds.
        let path = folder.path(percentEncoded: false)
        if rename(part.path(percentEncoded: false), path) == 0 { return folder }
        guard [EEXIST, ENOTEMPTY, ENOTDIR].contains(errno) else {
          throw DataError(.unusable, "cannot make the folder \(path): \(systemReason(of: errno))")
        }
        version += 1
      }
    } catch {
      try? FileManager.default.removeItem(at: part)
      throw error
    }
  }
}
