import Foundation
import Lab
import TestSupport
import Testing

/// What the system does to a process that has too little of something, or whose files change: each in
/// a process of its own.
@Suite struct FileTroubleTests {
  /// Ends the process, which shows the text in the test's result.
  private static func stop(_ text: String) -> Never {
    StandardError.writeLine(text)
    exit(3)
  }

  /// Ends the process at once: what the address sanitizer does at the end of a program fails after the
  /// number of open files was limited.
  private static func succeed() -> Never { _exit(0) }

  #if os(Linux)
    private static let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    private static let fileSize = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
  #else
    private static let openFiles = RLIMIT_NOFILE
    private static let fileSize = RLIMIT_FSIZE
  #endif

  @Test func aMappedFileThatIsCutShort() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      let folder = try TemporaryFolder()
      let url = folder.url.appending(path: "a")
      try IDX.write([UInt8](repeating: 1, count: 1 << 20), shape: [1 << 20], to: url)
      let array = try IDX(mapping: url, rank: 1)
      truncate(url.path(percentEncoded: false), 4096)
      let sum = array.elements.reduce(0) { $0 + Int($1) }
      Self.stop("read \(sum) bytes of a file that has none")
    }
    #expect(
      String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        == "Error: a data file became shorter or unreadable while it was in use; run this again\n")
  }

  @Test func aFileBeyondTheLimit() async throws {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      var limit = rlimit()
      getrlimit(Self.fileSize, &limit)
      limit.rlim_cur = 1000
      setrlimit(Self.fileSize, &limit)
      let url = folder.url.appending(path: "a")
      do {
        try writeWhole(to: url) { try $0.write(contentsOf: Data(count: 2000)) }
        Self.stop("wrote more than is allowed")
      } catch let error as DataError {
        let path = url.path(percentEncoded: false)
        guard error == DataError(.unusable, "cannot write \(path): file too large") else {
          Self.stop("\(error)")
        }
      }
      guard try folder.names(in: "") == [] else { Self.stop("a part of the file is left") }
      Self.succeed()
    }
  }

  @Test func tooManyOpenFiles() async throws {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      try EMNISTFixture.install(in: folder)
      let lines = Lines()
      let options = DataOptions(folder: folder.folder, report: lines.add)
      _ = try EMNIST(options)
      let before = try folder.read("processed/emnist/contents.json")
      var limit = rlimit()
      getrlimit(Self.openFiles, &limit)
      let usual = limit.rlim_cur
      // Files that are open stay open.
      limit.rlim_cur = 3
      setrlimit(Self.openFiles, &limit)
      var refusals: [String] = []
      // The prepared files; then what downloads and unpacks them, which is not damaged either, and
      // no reason to draw characters.
      for path in ["", "processed", "downloaded"] {
        if !path.isEmpty {
          rename(
            folder.url.appending(path: path).path(percentEncoded: false),
            folder.url.appending(path: "old-\(path)").path(percentEncoded: false))
        }
        do {
          _ = try EMNIST(options)
          Self.stop("loaded without opening a file")
        } catch let error as DataError {
          refusals.append(error.description)
          guard error.kind == .unusable, error.description.hasSuffix(": too many open files") else {
            Self.stop("\(error)")
          }
        }
      }
      limit.rlim_cur = usual
      setrlimit(Self.openFiles, &limit)
      guard refusals.count == 3 else { Self.stop("\(refusals)") }
      guard lines.all.filter({ $0.hasPrefix("unpacking") }).count == 1,
        try folder.read("old-processed/emnist/contents.json") == before
      else { Self.stop("\(lines.all)") }
      Self.succeed()
    }
  }
}
