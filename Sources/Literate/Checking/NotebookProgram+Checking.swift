import Foundation

extension NotebookProgram {
  private var expected: ExpectedFolder {
    ExpectedFolder(url: file.deletingLastPathComponent().appending(path: "expected"))
  }

  /// Runs the notebook, and compares what it gives with what was accepted.
  ///
  /// - Parameter options: What was chosen; without parameters those of the accepted run.
  /// - Returns: What differs, a line each.
  /// - Throws: ``NotebookError`` if nothing was accepted yet, and as ``run(_:on:)`` does.
  public func check(_ options: Options) throws -> [String] {
    guard let accepted = expected.parameters else {
      throw NotebookError(
        "\(name): expected an accepted run in \(expected.url.path(percentEncoded: false)), found "
          + "none; to accept one: lab notebooks check \(name) --accept --quick")
    }
    let (results, folder, complaints) = try results(options, accepted: accepted)
    return complaints.isEmpty
      ? try expected.complaints(about: results, figures: folder) : complaints
  }

  /// Runs the notebook, and stores what it gives as what is expected from now on.
  ///
  /// - Parameter options: What was chosen; without parameters those of the run accepted before.
  /// - Returns: Why the run was not accepted; nothing if it was.
  /// - Throws: As ``run(_:on:)`` does, and when the results cannot be stored.
  public func accept(_ options: Options) throws -> [String] {
    let accepted = expected.parameters ?? []
    let (results, folder, complaints) = try results(options, accepted: accepted)
    guard complaints.isEmpty else { return complaints }
    let parameters = options.parameters.isEmpty ? accepted : options.parameters
    try expected.store(results, parameters: parameters, figures: folder)
    return []
  }

  /// What a run gives, the folder that it is in, and why it failed, if it did.
  private func results(
    _ options: Options, accepted: [String]
  ) throws -> (results: [CellResult], folder: URL, complaints: [String]) {
    var options = options
    if options.parameters.isEmpty { options.parameters = accepted }
    options.tellsTimes = false
    // The pages of the reader's own runs stay as they are.
    let folder = folders.output.appending(path: "check/\(name)", directoryHint: .isDirectory)
    let source = try source()
    let page = try record(
      source, options, fingerprint(source, options), in: folder, on: Console(isQuiet: true))
    if page.state.isInterruption { throw NotebookInterruption(name: name) }
    var complaints: [String] = []
    if case .failed(let message, let line) = page.state {
      complaints = ["failed\(line.map { ", line \($0)" } ?? ""): \(message)"]
    }
    return (CellResult.all(of: page, try RunFolder(folder).events), folder, complaints)
  }
}
