import ArgumentParser
import Foundation
import Lab
import Literate

extension NotebooksCommand {
  /// `lab notebooks cache`
  struct Cache: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List or remove the stored results of cached(…).",
      discussion: """
        Results are in cache in the output folder. Together they take up at most 2 GB, or as many \
        megabytes as LITERATE_CACHE_MB says; those that were not used for the longest time are \
        removed first.
        """,
      subcommands: [List.self, Clear.self])
  }
}

extension NotebooksCommand.Cache {
  /// `lab notebooks cache list`
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the stored results, those used last first.")

    func run() throws {
      let results = try NotebooksCommand.folders().storedResults
      guard !results.isEmpty else { return print("no results") }
      let rows = results.map { result in
        [
          plainText(result.notebook), plainText(result.name ?? result.folder.lastPathComponent),
          result.state, result.seconds.map(Language.english.duration) ?? "",
          amountOfMemory(result.size),
          result.lastUse.formatted(.iso8601.dateSeparator(.dash).dateTimeSeparator(.space)),
        ]
      }
      print(textTable([["notebook", "result", "", "took", "size", "last used"]] + rows, left: 3))
      print("\(amountOfMemory(results.reduce(0) { $0 + $1.size })) together")
    }
  }

  /// `lab notebooks cache clear`
  struct Clear: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove the stored results of notebooks.")

    @OptionGroup var names: NotebookNames

    @Option(help: "Remove the results of this name alone.")
    var result: [String] = []

    func run() throws {
      let folders = try NotebooksCommand.folders()
      let notebooks = names.all ? nil : Set(try names.notebooks(of: folders).map(\.name))
      let (count, size, kept) = folders.removeStoredResults { stored in
        notebooks?.contains(stored.notebook) != false
          && (result.isEmpty || stored.name.map(result.contains) == true)
      }
      print("\(count) \(count == 1 ? "result" : "results") removed, \(amountOfMemory(size))")
      if kept > 0 {
        throw NotebookError(
          "\(kept) could not be removed: they are in use, or files of yours are in their folders")
      }
    }
  }
}
