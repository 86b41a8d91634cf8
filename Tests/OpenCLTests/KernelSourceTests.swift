import Foundation
import OpenCLKernels
import Testing

struct KernelSourceTests {
  /// `#filePath` is in the package, whose sources are beside its tests; where the built tests were
  /// copied to another machine, there are none.
  static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Sources/OpenCLKernels/Source")

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: sources.path(percentEncoded: false)),
      "there are no sources here"),
    arguments: KernelSource.File.allCases)
  func fileIsEmbedded(_ file: KernelSource.File) throws {
    let source = Self.sources.appending(path: "\(file.rawValue).cl")
    #expect(try KernelSource(file).text == String(contentsOf: source, encoding: .utf8))
  }
}
