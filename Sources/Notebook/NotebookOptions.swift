import ArgumentParser
import Lab

/// What may be changed about every notebook on its command line.
public struct NotebookOptions: ParsableArguments {
  @Option(
    name: .customLong("data_source"),
    help: choices("Where the images come from", default: DataSource.auto),
    transform: { try choice($0) })
  public var dataSource = DataSource.auto

  @Option(help: "Everything that the notebook draws at random comes from this seed.")
  public var seed: UInt32 = 42

  public init() {}
}

extension ParsableArguments {
  /// The options of the program's command line, spelled as in the course; leaves the program with a
  /// message if they cannot be understood.
  public static func fromCommandLine() -> Self {
    checkEnvironment()
    return parseOrExit(courseSpelling(Array(CommandLine.arguments.dropFirst())))
  }
}
