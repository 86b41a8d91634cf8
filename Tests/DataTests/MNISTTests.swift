import Foundation
import Lab
import TestSupport
import Testing

@Suite struct MNISTTests {
  @Test func syntheticDigits() throws {
    let folder = try TemporaryFolder()
    // Nothing answers there, so that auto draws and says why.
    let missing = "file:///no/such/file"
    let names = [
      "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
      "t10k-labels-idx1-ubyte.gz",
    ]
    let files = names.map { name in
      #"{"filename": "\#(name)", "sha256": "\#(String(repeating: "0", count: 64))", "#
        + #""urls": ["\#(missing)"]}"#
    }
    try folder.write(
      Data(#"{"files": [\#(files.joined(separator: ", "))]}"#.utf8), to: "raw/mnist/metadata.json")
    let lines = Lines()
    let options = DataOptions(folder: folder.folder, report: lines.add)
    let data = try MNIST(options)
    #expect(data.isSynthetic)
    // Another data set beside it does not put a notebook out of date.
    #expect(data.fileFolders == [folder.url.appending(path: "processed/mnist-synthetic/")])
    #expect(data.sizes == [27_500, 2500, 5000])
    #expect(data.mapping == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
    #expect(Set((0..<1000).map { data.train.label(at: $0) }) == Set(0..<10))
    #expect(
      lines.all.first?.hasPrefix(
        "MNIST: using SYNTHETIC handwriting drawn by this program: cannot download train-images")
        == true)
    #expect(data.description.hasPrefix("SYNTHETIC MNIST Dataset"))
    var download = options
    download.source = .download
    let error = #expect(throws: DataError.self) { try MNIST(download) }
    #expect(error?.kind == .unavailable)
  }
}
