import Foundation

/// The folder that holds data sets: what to download, what was downloaded, and what was made of it.
///
/// ```text
/// data/raw/emnist/metadata.json     which files, from where, with which SHA-256
/// data/downloaded/emnist/           the files as they came
/// data/processed/emnist/            images and labels that map into memory
/// ```
public struct DataFolder: Equatable, Sendable {
  /// The folder itself.
  public let url: URL

  /// - Parameter url: A folder; it need not exist yet.
  public init(_ url: URL) {
    self.url = url
  }

  /// The folder that the environment variable `LAB_DATA_DIR` names, or `data` in the current
  /// directory.
  public static var standard: DataFolder {
    let path = ProcessInfo.processInfo.environment["LAB_DATA_DIR"] ?? ""
    return DataFolder(URL(filePath: path.isEmpty ? "data" : path, directoryHint: .isDirectory))
  }

  /// The file that says what a data set consists of, `raw/NAME/metadata.json`.
  package func metadata(of name: String) -> URL {
    url.appending(path: "raw/\(name)/metadata.json")
  }

  /// The folder for a data set's files as they came, `downloaded/NAME`.
  package func downloaded(_ name: String) -> URL {
    url.appending(path: "downloaded/\(name)", directoryHint: .isDirectory)
  }

  /// The folder for what was made of a data set's files, `processed/NAME`.
  package func processed(_ name: String) -> URL {
    url.appending(path: "processed/\(name)", directoryHint: .isDirectory)
  }
}
