import Foundation
import Lab
import Testing

@Suite struct SHA256Tests {
  // hashlib.sha256(b"abc").hexdigest()
  private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  @Test func piecesAddUp() throws {
    let sum = try SHA256()
    sum.update(Data("ab".utf8))
    let copy = try sum.copy()
    sum.update(Data())
    sum.update(Data("c".utf8))
    #expect(sum.hexadecimal == Self.abc)
    // hashlib.sha256(b"ab").hexdigest()
    #expect(
      copy.hexadecimal == "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603")
  }

  @Test func sumsUpAFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data("abc".utf8), to: "a")
    #expect(try SHA256.hexadecimal(of: folder.url.appending(path: "a")) == Self.abc)
  }
}
