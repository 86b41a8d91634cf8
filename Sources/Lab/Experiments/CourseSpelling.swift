/// Command-line arguments with their options spelled as in the course, with underscores:
/// `--max-epochs=5` becomes `--max_epochs=5`.
///
/// - Parameter arguments: Arguments as typed.
public func courseSpelling(_ arguments: [String]) -> [String] {
  arguments.map { argument in
    // What the argument parser itself offers keeps its hyphens.
    guard argument.hasPrefix("--"), !argument.hasPrefix("--generate-completion-script") else {
      return argument
    }
    let parts = argument.dropFirst(2).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first else { return argument }
    let spelled = name.map { $0 == "-" ? "_" : String($0) }.joined()
    return "--" + ([spelled] + parts.dropFirst().map(String.init)).joined(separator: "=")
  }
}
