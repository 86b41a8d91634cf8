import Foundation

/// The folder that holds data sets.
///
/// ```text
/// data/raw/emnist/metadata.json     the files to download, with addresses and SHA-256 digests
/// data/downloaded/emnist/           the downloaded files
/// data/processed/emnist/            images and labels, prepared for mapping into memory
/// ```
public struct DataFolder: Equatable, Sendable {
  /// The folder itself.
  public let url: URL

  /// - Parameter url: A folder; it is created when it is needed.
  public init(_ url: URL) {
    self.url = url
  }

  /// The folder that the environment variable `LAB_DATA_DIR` names, or `data` in the current
  /// directory.
  public static var standard: DataFolder {
    let path = ProcessInfo.processInfo.environment["LAB_DATA_DIR"] ?? ""
    return DataFolder(URL(filePath: path.isEmpty ? "data" : path, directoryHint: .isDirectory))
  }

  /// The description of a data set's files, `raw/NAME/metadata.json`.
  package func metadata(of name: String) -> URL {
    url.appending(path: "raw/\(name)/metadata.json")
  }

  /// The folder for a data set's downloaded files, `downloaded/NAME`.
  package func downloaded(_ name: String) -> URL {
    url.appending(path: "downloaded/\(name)", directoryHint: .isDirectory)
  }

  /// The folder for a data set's prepared files, `processed/NAME`.
  package func processed(_ name: String) -> URL {
    url.appending(path: "processed/\(name)", directoryHint: .isDirectory)
  }
}
