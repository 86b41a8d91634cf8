import Foundation
import OpenCLKernels
import Testing

struct KernelSourceTests {
  /// `#filePath` is in the package, whose sources are beside its tests.
  @Test(arguments: KernelSource.File.allCases)
  func fileIsEmbedded(_ file: KernelSource.File) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let source = package.appending(path: "Sources/OpenCLKernels/Source/\(file.rawValue).cl")
    #expect(try KernelSource(file).text == String(contentsOf: source, encoding: .utf8))
  }
}
