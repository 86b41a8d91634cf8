import Digests
import Foundation
import Lab
import TestSupport
import Testing

@Suite(.enabled(if: TestServer.loopbackIsUp, "the loopback interface is down"))
struct DownloaderTests {
  let folder: TemporaryFolder
  let file: Data
  let sum: String
  let lines = Lines()

  init() throws {
    folder = try TemporaryFolder()
    var random = RandomState(seed: 1)
    file = Data((0..<300_000).map { _ in UInt8(random.integer(below: 256)) })
    let digest = try SHA256()
    digest.update(file)
    sum = try digest.hexadecimal
  }

  private func fetch(
    _ urls: [String], size: Int? = nil, patience: Double = 4, stallSeconds: Int = 20
  ) throws {
    try writeMetadata(urls, size: size)
    try fetch(patience: patience, stallSeconds: stallSeconds)
  }

  private func writeMetadata(_ urls: [String], size: Int? = nil) throws {
    let size = size.map { #""size": \#($0), "# } ?? ""
    let json =
      #"{"files": [{"filename": "a.bin", "sha256": "\#(sum)", \#(size)"urls": \#(urls)}]}"#
    try folder.write(Data(json.utf8), to: "raw/test/metadata.json")
  }

  private func fetch(patience: Double = 4, stallSeconds: Int = 20) throws {
    let metadata = try Metadata.load("test", in: folder.folder)
    try Downloader(patience: patience, stallSeconds: stallSeconds, report: lines.add).fetch(
      try metadata.file("a.bin", of: "test"), into: folder.url.appending(path: "got"))
  }

  private func expectFile() throws {
    #expect(try folder.read("got/a.bin") == file)
    #expect(try folder.names(in: "got") == ["a.bin"])
  }

  @Test func fetchesOnce() throws {
    let server = try TestServer(file: file)
    defer { server.stop() }
    try fetch([server.address()])
    try expectFile()
    try fetch([server.address()])
    #expect(server.requests == [.init(path: "file", rangeStart: nil)])
    #expect(lines.all == ["downloaded a.bin: 0.3 MB"])
  }

  @Test func triesAddressesInOrder() throws {
    let server = try TestServer { [file] request, _ in
      request.path == "good" ? .init(body: file) : .init(status: 404, body: Data("no".utf8))
    }
    defer { server.stop() }
    try fetch(
      ["file:///no/such/file", "bad", "good", "unused"].map {
        $0.hasPrefix("file") ? $0 : server.address($0)
      })
    try expectFile()
    #expect(server.requests.map(\.path) == ["bad", "good"])
  }

  @Test func followsRedirections() throws {
    let server = try TestServer { [file] request, _ in
      request.path == "old"
        ? .init(status: 302, headers: ["Location": "/new"]) : .init(body: file)
    }
    defer { server.stop() }
    try fetch([server.address("old")])
    try expectFile()
  }

  @Test func copiesLocalFiles() throws {
    try folder.write(file, to: "local file.bin")
    // The part of an earlier attempt is not used.
    try folder.write(Data("junk".utf8), to: "got/a.bin.part")
    try fetch(["file://\(folder.url.path(percentEncoded: false))/local%20file.bin"])
    try expectFile()
  }

  @Test func reportsAWrongDigest() throws {
    let server = try TestServer { [file] _, _ in .init(body: file + Data([0])) }
    defer { server.stop() }
    let digest = try SHA256()
    digest.update(file + Data([0]))
    let found = try digest.hexadecimal
    let error = #expect(throws: DataError.self) { try fetch([server.address()]) }
    #expect(error?.kind == .damaged)
    #expect(
      error?.description
        == "a.bin from \(server.address()): expected SHA-256 \(sum), found \(found); "
        + "the download was discarded")
    #expect(try folder.names(in: "got") == [])
  }

  @Test func triesTheNextAddressAfterAWrongDigest() throws {
    let server = try TestServer { [file] request, _ in
      .init(body: request.path == "good" ? file : Data("<html>Log in first</html>".utf8))
    }
    defer { server.stop() }
    try fetch([server.address("portal"), server.address("good")])
    try expectFile()
  }

  @Test func resumesWithinAFetch() throws {
    let server = try TestServer { [file] request, earlier in
      var response = TestServer.ranged(file, request)
      if earlier < 2 { response.breaksOffAfter = 100_000 }
      return response
    }
    defer { server.stop() }
    try fetch([server.address()])
    try expectFile()
    #expect(server.requests.map(\.rangeStart) == [nil, 100_000, 200_000])
  }

  @Test func resumesALaterFetchFromAnotherAddress() throws {
    let broken = try TestServer { [file] request, _ in
      request.rangeStart == nil
        ? .init(body: file, breaksOffAfter: 70_000) : .init(status: 503)
    }
    defer { broken.stop() }
    let error = #expect(throws: DataError.self) { try fetch([broken.address()]) }
    #expect(error?.kind == .unavailable)
    #expect(try folder.names(in: "got") == ["a.bin.part"])

    let server = try TestServer(file: file)
    defer { server.stop() }
    try fetch([server.address()])
    try expectFile()
    #expect(server.requests.map(\.rangeStart) == [70_000])
  }

  @Test func downloadsEverythingFromAServerWithoutRanges() throws {
    let server = try TestServer { [file] _, _ in .init(body: file) }
    defer { server.stop() }
    try folder.write(file.prefix(1000), to: "got/a.bin.part")
    try fetch([server.address()])
    try expectFile()
    #expect(server.requests.map(\.rangeStart) == [1000])
  }

  @Test(arguments: [1000, 300_000, 300_001])
  func startsAgainIfThePartIsOfAnotherFile(count: Int) throws {
    let server = try TestServer(file: file)
    defer { server.stop() }
    try folder.write(Data(repeating: 7, count: count), to: "got/a.bin.part")
    try fetch([server.address()])
    try expectFile()
    #expect(server.requests.map(\.rangeStart) == [count, nil])
  }

  @Test func acceptsACompletePartWithoutARequest() throws {
    try folder.write(file, to: "got/a.bin.part")
    try fetch(["http://127.0.0.1:1/"])
    try expectFile()
  }

  @Test func replacesADamagedFile() throws {
    let server = try TestServer(file: file)
    defer { server.stop() }
    try folder.write(Data("damaged".utf8), to: "got/a.bin")
    try fetch([server.address()])
    try expectFile()
  }

  @Test func reportsADamagedFileThatCannotBeReplaced() throws {
    try folder.write(Data("damaged".utf8), to: "got/a.bin")
    let error = #expect(throws: DataError.self) { try fetch(["http://127.0.0.1:1/"]) }
    #expect(error?.kind == .damaged)
    #expect(error?.description.hasSuffix("remove it to download it again") == true)
    #expect(try folder.names(in: "got") == ["a.bin"])
  }

  @Test func endsAStalledTransferAndKeepsThePart() throws {
    let server = try TestServer { [file] request, _ in
      request.rangeStart == nil
        ? .init(body: file, breaksOffAfter: 5000, hangs: true) : .init(status: 503)
    }
    defer { server.stop() }
    let error = #expect(throws: DataError.self) {
      try fetch([server.address()], stallSeconds: 1)
    }
    #expect(error?.kind == .unavailable)
    #expect(try folder.read("got/a.bin.part") == file.prefix(5000))
  }

  @Test(.timeLimit(.minutes(1)))
  func givesUpASlowServer() throws {
    let server = try TestServer { [file] _, _ in .init(body: file, trickles: true) }
    defer { server.stop() }
    let error = #expect(throws: DataError.self) {
      try fetch([server.address()], stallSeconds: 1)
    }
    #expect(error?.kind == .unavailable)
    #expect(
      error?.description.contains("\(server.address()): slower than 2000 B/s for 1 s") == true)
    #expect(server.requests.count == 1)
    #expect(try folder.names(in: "got") == ["a.bin.part"])
  }

  @Test(.timeLimit(.minutes(1)))
  func endsABodyWithoutAnEnd() throws {
    let server = try TestServer { [file] request, _ in
      request.path == "endless" ? .init(body: file, isEndless: true) : .init(body: file)
    }
    defer { server.stop() }
    let error = #expect(throws: DataError.self) {
      try fetch([server.address("endless")], size: file.count)
    }
    #expect(error?.kind == .damaged)
    #expect(
      error?.description
        == "a.bin from \(server.address("endless")): expected up to 300000 bytes, got more; "
        + "the download was discarded")
    #expect(try folder.names(in: "got") == [])
    try fetch([server.address("endless"), server.address()], size: file.count)
    try expectFile()
  }

  @Test func refusesAnotherSizeAtOnce() throws {
    let server = try TestServer { [file] _, _ in
      // All but the header would be waited for in vain.
      .init(body: file + Data([0]), breaksOffAfter: 1, hangs: true)
    }
    defer { server.stop() }
    let error = #expect(throws: DataError.self) {
      try fetch([server.address()], size: file.count)
    }
    #expect(
      error?.description
        == "a.bin from \(server.address()): expected 300000 bytes, the server offers 300001; "
        + "the download was discarded")
  }

  @Test(.timeLimit(.minutes(1)))
  func copiesNoDevice() throws {
    let pipe = folder.url.appending(path: "pipe").path(percentEncoded: false)
    #expect(mkfifo(pipe, 0o600) == 0)
    let error = #expect(throws: DataError.self) {
      try fetch(["file:///dev/zero", "file://\(pipe)"])
    }
    #expect(error?.kind == .unavailable)
    let reason = "expected a file, got a device, pipe or socket"
    #expect(
      error?.description.hasPrefix(
        "cannot download a.bin (file:///dev/zero: \(reason); file://\(pipe): \(reason)); ") == true)
    #expect(try folder.names(in: "got") == [])
  }

  @Test func refusesWhatTheDiskHasNoRoomFor() throws {
    let error = #expect(throws: DataError.self) {
      try fetch(["http://127.0.0.1:1/"], size: 1 << 40)
    }
    #expect(error?.kind == .unusable)
    #expect(error?.description.contains("got a need of 1099.5 GB; make room") == true)
  }

  @Test func anIncompleteDownloadIsNoLink() throws {
    let server = try TestServer(file: file)
    defer { server.stop() }
    try folder.write(Data("precious".utf8), to: "elsewhere")
    try folder.write(Data(), to: "got/other")
    try FileManager.default.createSymbolicLink(
      at: folder.url.appending(path: "got/a.bin.part"),
      withDestinationURL: folder.url.appending(path: "elsewhere"))
    let error = #expect(throws: DataError.self) { try fetch([server.address()]) }
    #expect(error?.description.hasSuffix("a.bin.part: it is a symbolic link; remove it") == true)
    #expect(try folder.read("elsewhere") == Data("precious".utf8))
  }

  @Test func severalCanDownloadAtOnce() throws {
    let server = try TestServer(file: file)
    defer { server.stop() }
    try writeMetadata([server.address()])
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      do {
        try fetch()
      } catch {
        Issue.record(error)
      }
    }
    try expectFile()
    #expect(server.requests.count == 1)
  }

  @Test func removesAnIncompleteDownloadBesideTheFile() throws {
    try folder.write(file, to: "got/a.bin")
    try folder.write(Data("left".utf8), to: "got/a.bin.part")
    try fetch(["http://127.0.0.1:1/"])
    try expectFile()
  }

  @Test(arguments: [true, false])
  func endsWithoutAnAnswer(isSilent: Bool) throws {
    let server = try TestServer { [file] _, _ in
      .init(body: file, breaksOffAfter: 0, hangs: true, isSilent: isSilent)
    }
    defer { server.stop() }
    let error = #expect(throws: DataError.self) {
      try fetch(["http://127.0.0.1:1/", server.address()], patience: 0.5)
    }
    #expect(error?.kind == .unavailable)
    #expect(error?.description.contains("\n") == false)
    #expect(try folder.names(in: "got") == [])
  }

  @Test func reportsWhereToPutTheFile() throws {
    let error = #expect(throws: DataError.self) { try fetch(["file:///no/such/file"]) }
    let path = folder.url.appending(path: "got").path(percentEncoded: false)
    #expect(error?.description.hasPrefix("cannot download a.bin (file:///no/such/file: ") == true)
    #expect(
      error?.description.hasSuffix("); put it into \(path) yourself or check the network") == true)
  }

  @Test func aFolderThatCannotBeCreatedIsNotANetworkError() throws {
    try folder.write(Data(), to: "got")
    let error = #expect(throws: DataError.self) { try fetch(["file:///no/such/file"]) }
    #expect(error?.kind == .unusable)
    #expect(error?.description.contains("\n") == false)
  }
}
