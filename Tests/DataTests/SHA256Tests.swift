import Digests
import Foundation
import Lab
import TestSupport
import Testing

@Suite struct SHA256Tests {
  // hashlib.sha256(b"abc").hexdigest()
  private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  // hashlib.sha256(b"ab").hexdigest()
  private static let ab = "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"

  @Test func theDigestCanBeReadAtAnyTime() throws {
    let sum = try SHA256()
    sum.update(Data("ab".utf8))
    #expect(try sum.hexadecimal == Self.ab)
    #expect(try sum.hexadecimal == Self.ab)
    sum.update(Data())
    sum.update(Data("c".utf8))
    #expect(try sum.hexadecimal == Self.abc)
    #expect(try sum.hexadecimal == Self.abc)
  }

  @Test func digestOfAFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data("abc".utf8), to: "a")
    #expect(try SHA256.hexadecimal(of: folder.url.appending(path: "a")) == Self.abc)
  }
}
