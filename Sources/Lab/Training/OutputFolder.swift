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
      // Made without the folders above it, this fails if another run has just taken the number.
      let isTaken = FileManager.default.fileExists(atPath: folder.path(percentEncoded: false))
      if !isTaken {
        try withFile(folder, "make the folder") {
          try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        }
        return folder
      }
      version += 1
    }
  }
}
