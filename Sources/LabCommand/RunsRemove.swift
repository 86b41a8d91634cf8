import ArgumentParser
import Foundation
import Lab

extension RunsCommand {
  /// `lab runs remove`.
  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove runs with their weights and logs.",
      discussion: """
        Only files that lab train wrote are removed; others stay, and so does their folder. A run \
        in which a process trains is refused. If removing is interrupted, the same command goes on.
        """)

    @Argument(help: "The runs' names as lab runs lists them, or their folders.")
    var runs: [String]

    @Flag(help: "Do not ask.")
    var yes = false

    func run() throws {
      // All names are looked at before the first file is removed.
      let folders = try self.runs.map { try Self.folder($0) }.reduce(into: [URL]()) {
        if !$0.map(\.standardizedFileURL).contains($1.standardizedFileURL) { $0.append($1) }
      }
      for folder in folders where TrainingRun.isHeld(folder) { throw Self.inUse(folder) }
      guard try yes || isConfirmed(folders) else {
        print("Nothing was removed.")
        throw ExitCode(1)
      }
      for folder in folders {
        let removed = try TrainingRun.remove(folder)
        print(
          "Removed \(printable(folder.relativePath, limit: .max)), \(readableSize(removed.bytes))")
        guard !removed.foreign.isEmpty else { continue }
        let names = removed.foreign.map { printable($0) }.joined(separator: ", ")
        StandardError.writeLine(
          "Warning: \(folder.relativePath): left \(names), which lab train did not write")
      }
    }

    /// Asks the user.
    private func isConfirmed(_ folders: [URL]) throws -> Bool {
      guard isatty(0) == 1 else {
        throw TrainingError(
          "lab runs remove: expected --yes, since nobody can be asked on standard input, got none")
      }
      let contents = try folders.map { try TrainingRun.contents(ofRun: $0) }
      for (folder, contents) in zip(folders, contents) {
        print("\(printable(folder.relativePath, limit: .max)), \(readableSize(contents.bytes))")
      }
      let what = folders.count == 1 ? "this run" : "these \(folders.count) runs"
      StandardError.write("Remove \(what)? [y/N] ")
      let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
      return answer == "y" || answer == "yes"
    }

    /// The folder of a run that may be removed.
    private static func folder(_ name: String) throws -> URL {
      for folder in runFolders(name) {
        // Without the slash at the end, a link is looked at itself.
        let plain = URL(
          filePath: folder.standardizedFileURL.path(percentEncoded: false),
          directoryHint: .notDirectory)
        let kind = try FileStatus.of(plain, followsLinks: false)?.kind
        let isRun = FileStatus.isFile(TrainingRun.record(in: folder))
        guard kind != .link else {
          throw TrainingError(
            "\(folder.relativePath): expected the folder of a run, got a symbolic link; remove the "
              + "link itself, or name the folder")
        }
        guard kind == .folder else { continue }
        if isRun {
          // Elsewhere, a file of this name may be that of another program.
          if !isOwn(folder) { _ = try RunRecord(contentsOf: TrainingRun.record(in: folder)) }
          return folder
        }
        if isOwn(folder), TrainingRun.isRemnant(folder) { return folder }
      }
      throw unknownRun(name)
    }

    /// Whether a folder is where `lab train` makes folders of runs.
    private static func isOwn(_ folder: URL) -> Bool {
      func path(_ url: URL) -> [String] { url.standardizedFileURL.pathComponents }
      let logs = OutputFolder.url.appending(path: "logs", directoryHint: .isDirectory)
      return path(folder).dropLast(2) == path(logs)[...]
    }

    private static func inUse(_ folder: URL) -> TrainingError {
      TrainingError(
        "\(folder.relativePath): a process is training there; stop it with Ctrl-C, or wait until it "
          + "ends")
    }
  }
}
