import ArgumentParser
import Kernels
import Lab
import Literate

/// What may be changed about every notebook on its command line.
public struct NotebookOptions: ParsableArguments {
  @Flag(help: "Take less of everything that takes long, so that it takes a minute at most.")
  public var quick = false

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
  /// The parameters of the program's command line, spelled as in the course; leaves the program with
  /// a message if they cannot be understood.
  @MainActor
  public static func fromCommandLine() -> Self {
    checkEnvironment()
    let result = parameters(
      from: courseSpelling(Array(CommandLine.arguments.dropFirst())), output: OutputFolder.url)
    note("Processor", Processor.name)
    note("Threads", "\(Threads.count)")
    note("Kernels", KernelSet.current.name)
    return result
  }
}
