import Digests
import Foundation
import Lab
import TestSupport
import Testing

@Suite struct ChecksumTests {
  // hashlib.sha256("".join(hashlib.sha256(data[i:i + 2**20]).hexdigest()
  //                        for i in range(0, len(data), 2**20)).encode()).hexdigest()
  @Test(arguments: [
    (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (1, "bb7c53d34f6384244da5d41af9523beb234190b8209ec56dec7b7ecee341c300"),
    (1 << 20, "fe22213e2a49227ab57069e520c7050b48f4a8ab8b89fb125030964e4ab3ce25"),
    (2_500_000, "83488be5ea830f6babe5017242ea70eddced58c15ed549b59319ab9f417bd21a"),
  ])
  func ofBlocks(count: Int, sum: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Data((0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }), to: "a")
    #expect(try SHA256.hexadecimal(ofBlocksOf: folder.url.appending(path: "a")) == sum)
  }

  @Test func noticesEachBlock() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "a")
    var sums: Set<String> = []
    for place in [0, 1_048_575, 1_048_576, 2_999_999] {
      var bytes = Data(count: 3_000_000)
      bytes[place] = 1
      try folder.write(bytes, to: "a")
      sums.insert(try SHA256.hexadecimal(ofBlocksOf: url))
    }
    #expect(sums.count == 4)
  }

  @Test func reportsWhatIsNoFile() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DataError.self) { try SHA256.hexadecimal(ofBlocksOf: folder.url) }
    #expect(error?.kind == .unusable && error?.description.contains("\n") == false)
  }
}
