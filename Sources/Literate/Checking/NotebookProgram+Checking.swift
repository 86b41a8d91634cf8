import Foundation

extension NotebookProgram {
  private var expected: ExpectedFolder {
    ExpectedFolder(url: file.deletingLastPathComponent().appending(path: "expected"))
  }

  /// Runs the notebook and compares its results with the accepted ones.
  ///
  /// - Parameter options: The options of the run; without parameters, those of the accepted run are used.
  /// - Returns: The differences, one line each.
  /// - Throws: ``NotebookError`` if no run was accepted yet, and the errors of ``run(_:on:)``.
  public func check(_ options: Options) throws -> [String] {
    guard let accepted = expected.parameters else {
      throw NotebookError(
        "\(name): expected an accepted run in \(expected.url.path(percentEncoded: false)), found "
          + "none; to accept one: \(folders.command) check \(name) --accept --quick")
    }
    let (results, folder, failure) = try results(options, accepted: accepted)
    if let failure { return [failure] }
    var pictures: [String] = []
    let differences = try expected.differences(of: results, figures: folder, pictures: &pictures)
    try RunFolder(folder).addToRecord(pictures)
    return try differences + translationProblems()
  }

  /// Runs the notebook and stores its results as the accepted ones.
  ///
  /// - Parameter options: The options of the run; without parameters, those of the accepted run are used.
  /// - Returns: The reason why the run was not accepted; empty if it was.
  /// - Throws: The errors of ``run(_:on:)``, or an error if the results cannot be stored.
  public func accept(_ options: Options) throws -> [String] {
    let accepted = expected.parameters ?? []
    let (results, folder, failure) = try results(options, accepted: accepted)
    if let failure { return [failure] }
    let parameters = options.parameters.isEmpty ? accepted : options.parameters
    try expected.store(results, parameters: parameters, figures: folder)
    return []
  }

  /// The results of a run, their folder, and the reason if it failed.
  private func results(
    _ options: Options, accepted: [String]
  ) throws -> (results: [CellResult], folder: URL, failure: String?) {
    var options = options
    if options.parameters.isEmpty { options.parameters = accepted }
    options.recordsTimes = false
    // What is compared is computed.
    options.usesCache = false
    // The pages of the reader's own runs are kept.
    let folder = folders.output.appending(path: "check/\(name)", directoryHint: .isDirectory)
    let console = Console(isQuiet: true)
    let page = try record(
      build(options, on: console), options, in: folder, on: console)
    if page.state.isInterruption { throw NotebookInterruption(name: name) }
    var failure: String?
    if case .failed(let message, let line) = page.state {
      failure = "failed\(line.map { ", line \($0)" } ?? ""): \(message)"
    }
    return (CellResult.all(of: page, try RunFolder(folder).events), folder, failure)
  }
}
