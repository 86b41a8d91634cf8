#if os(Linux)
  import Foundation
  import Spawning
  import Testing

  /// What `scripts/dist` checks of each program, and the version that it takes from the changelog.
  struct DistTests {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    private static let hasReader = ["/usr/bin/readelf", "/bin/readelf"]
      .contains(where: FileManager.default.isExecutableFile(atPath:))

    private func read(_ arguments: [String]) throws -> Spawned.Outcome {
      try withFolder { folder in
        let script = Self.package.appending(path: "scripts/glibc").path(percentEncoded: false)
        return try Spawned.run(["/bin/bash", script] + arguments, in: folder)
      }
    }

    private var lab: String {
      URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "lab")
        .path(percentEncoded: false)
    }

    @Test(.enabled(if: hasReader, "readelf is not installed"))
    func symbolsOfANewerSystemAreNamed() throws {
      let new = try read(["99.0", lab])
      #expect(new.status == 0 && new.output.isEmpty && new.errors.isEmpty, "\(new.errors)")
      // Every program of this processor needs the first version of its glibc, and some of later ones.
      let old = try read(["2.2", lab])
      #expect(old.status == 1)
      #expect(old.output.contains(#/lab: needs glibc 2\.2\.5 for .*\b(read|write|close)\b/#))
      #expect(try !read(["2.14", lab]).output.contains("glibc 2.2.5 "))
      let versions = old.output.matches(of: /needs glibc ([0-9.]+)/).map { String($0.1) }
      let newest = try #require(versions.last)
      let parts = newest.split(separator: ".").compactMap { Int($0) }
      // 2.9 is older than 2.34.
      #expect(parts.count >= 2 && parts[0] == 2 && parts[1] > 9, "\(versions)")
      if parts.count == 2 {
        #expect(try read([newest, lab]).status == 0)
        let before = "\(parts[0]).\(parts[1] - 1)"
        #expect(try read([before, lab]).output.contains("needs glibc \(newest) for "))
      }
    }

    @Test(.enabled(if: hasReader, "readelf is not installed"))
    func otherFilesAreRefused() throws {
      let readme = Self.package.appending(path: "README.md").path(percentEncoded: false)
      let outcome = try read(["2.35", readme])
      #expect(outcome.status == 2)
      #expect(outcome.errors.hasPrefix("glibc: cannot read \(readme): "), "\(outcome.errors)")
      #expect(
        try read(["two", lab]).errors == "glibc: expected a version such as 2.35, got two\n")
    }

    @Test func labSaysTheVersionOfTheChangelog() throws {
      let changes = try String(
        contentsOf: Self.package.appending(path: "CHANGELOG.md"), encoding: .utf8)
      let version = try #require(changes.firstMatch(of: /\n## ([0-9]+\.[0-9]+\.[0-9]+)/)).1
      let outcome = try withFolder { try Program(name: "lab", folder: $0).run(["--version"]) }
      #expect(outcome.output == "\(version)\n")
    }
  }
#endif
