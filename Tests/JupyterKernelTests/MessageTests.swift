import Foundation
import JupyterKernel
import Testing

struct MessageTests {
  /// Test cases 1, 2 and 6 of RFC 4231.
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0b, count: 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ])
  func signatures(key: [UInt8], text: String, expected: String) throws {
    let signer = Signer(key: key)
    let parts = [Array(text.utf8.prefix(3)), Array(text.utf8.dropFirst(3))]
    #expect(try signer.signature(of: parts) == expected)
    #expect(try signer.accepts(Array(expected.utf8), of: parts))
    #expect(try !signer.accepts(Array(expected.utf8.reversed()), of: parts))
    #expect(try !signer.accepts([], of: parts))
  }

  @Test func withoutAKeyThereAreNoSignatures() throws {
    let signer = Signer(key: "")
    #expect(try signer.signature(of: [[1]]) == "")
    #expect(try signer.accepts([1, 2], of: [[1]]))
  }

  private let signer = Signer(key: "secret")

  private func frames(_ content: JSON, to identities: [[UInt8]] = [[7], [8]]) throws -> [[UInt8]] {
    try Message.frames(
      "execute_request", content, to: identities, parent: nil, session: "s", signer)
  }

  @Test func messagesAreReadAsTheyWereWritten() throws {
    let content: JSON = ["code": "print(\"ü\")", "n": 3, "x": .number(0.5), "list": [true, .null]]
    let message = try Message(try frames(content), signer)
    #expect(message.identities == [[7], [8]])
    #expect(message.type == "execute_request")
    #expect(message.session == "s")
    #expect(message.content == content)
    // A reply repeats the header byte for byte.
    let reply = try Message.frames(
      "execute_reply", [:], to: message.identities, parent: message, session: "k", signer)
    #expect(reply[5] == message.header)
  }

  @Test func wrongMessagesAreRefused() throws {
    let right = try frames(["code": "1"])
    var changed = right
    changed[7] = Array("{\"code\":\"2\"}".utf8)
    #expect(throws: KernelError("a message has a wrong signature")) {
      try Message(changed, signer)
    }
    #expect(throws: KernelError("expected a message of at least 6 parts, got 3")) {
      try Message(Array(right.prefix(3)), signer)
    }
    let parts = ["no", "{}", "{}", "{}"].map { Array($0.utf8) }
    let signed = [Array("<IDS|MSG>".utf8), Array(try signer.signature(of: parts).utf8)] + parts
    #expect(throws: KernelError("a message is not JSON as the protocol has it")) {
      try Message(signed, signer)
    }
  }

  @Test func theConnectionFileIsChecked() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kernel-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "c.json").path
    #expect(throws: KernelError("cannot read the connection file \(path)")) {
      try ConnectionFile(contentsOf: path)
    }
    let text = """
      {"transport": "tcp", "ip": "127.0.0.1", "shell_port": 1, "control_port": 2, "iopub_port": 3,
       "stdin_port": 4, "hb_port": 5, "key": "k", "signature_scheme": "SCHEME"}
      """
    try text.replacing("SCHEME", with: "hmac-sha256").write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(try ConnectionFile(contentsOf: path).address(4) == "tcp://127.0.0.1:4")
    try text.replacing("SCHEME", with: "hmac-md5").write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(
      throws: KernelError("\(path): expected the signatures hmac-sha256, found hmac-md5")
    ) { try ConnectionFile(contentsOf: path) }
    try "[]".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(
      throws: KernelError("\(path): expected a connection file of Jupyter, found something else")
    ) { try ConnectionFile(contentsOf: path) }
  }
}
