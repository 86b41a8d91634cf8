import Foundation
import Lab
import Testing

/// The folder that `LAB_TEST_DATA` names, in the layout of `LAB_DATA_DIR`, with the real files'
/// metadata.
package let realData = ProcessInfo.processInfo.environment["LAB_TEST_DATA"].map {
  URL(filePath: $0, directoryHint: .isDirectory)
}

/// A new data folder with the metadata of the real files.
package func copyOfMetadata() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  let source = try #require(realData)
  try FileManager.default.copyItem(
    at: source.appending(path: "raw"), to: folder.url.appending(path: "raw"))
  return folder
}
