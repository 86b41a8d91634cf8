import Foundation

/// Where programs put what they make: `LAB_OUTPUT_DIR`, or `output` where they run.
public enum OutputFolder {
  /// The folder itself.
  public static var url: URL {
    let path = ProcessInfo.processInfo.environment["LAB_OUTPUT_DIR"] ?? ""
    return URL(filePath: path.isEmpty ? "output" : path, directoryHint: .isDirectory)
  }

  /// A fresh folder for a training run, `logs/NAME/version_N` with the first N that is free.
  ///
  /// - Parameter name: What the run is called; runs of one name count together.
  /// - Throws: ``DataError`` if it cannot be made.
  public static func newRun(_ name: String) throws -> URL {
    let runs = url.appending(path: "logs/\(name)", directoryHint: .isDirectory)
    try createFolder(runs)
    var version = 0
    while true {
      let folder = runs.appending(path: "version_\(version)", directoryHint: .isDirectory)
      // Another run may take the number at the same moment; the system lets one of them have it.
      let path = folder.path(percentEncoded: false)
      if mkdir(path, 0o777) == 0 { return folder }
      guard errno == EEXIST else {
        throw DataError(.unusable, "cannot make the folder \(path): \(systemReason(of: errno))")
      }
      version += 1
    }
  }
}
