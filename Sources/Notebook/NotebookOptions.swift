import ArgumentParser
import Foundation
import Kernels
import Lab
import Literate

/// The command-line options of every notebook.
public struct NotebookOptions: ParsableArguments {
  @Flag(help: "Train and draw less, so that the notebook takes a minute at most.")
  public var quick = false

  @Option(
    name: .customLong("data_source"),
    help: choices("The source of the images", default: DataSource.auto),
    transform: { try choice($0) })
  public var dataSource = DataSource.auto

  @Option(help: "The seed of all random numbers. (default: 42)", transform: number)
  public var seed: UInt32 = 42

  @OptionGroup public var device: DeviceOptions

  @Option(
    help: "The language of the cells' titles: en or ko. (default: LAB_LANGUAGE, or en)",
    transform: { try choice($0) })
  public var language: Language?

  public init() {}
}

extension ParsableArguments {
  /// The parameters of the program's command line, spelled as in the course; ends the program with a
  /// message if they are not valid.
  @MainActor
  public static func fromCommandLine() -> Self {
    prepareProgram()
    let output = startProcesses() ?? OutputFolder.url
    let result = parameters(
      from: courseSpelling(Array(CommandLine.arguments.dropFirst())), output: output)
    sharesState("shared generator", SharedGenerator())
    dependsOn("Kernels", KernelSet.current.fullName)
    for (name, value) in ProcessInfo.processInfo.environment
    where name.hasPrefix("LAB_") && !["LAB_OUTPUT_DIR", Language.variable].contains(name) {
      dependsOn(name, value)
    }
    note("Processor", Processor.name)
    note("Threads", "\(Threads.count)")
    note("Kernels", KernelSet.current.fullName)
    if let options = result.notebookOptions {
      attempt { try NotebookDevice.choose(options.device) }
    }
    return result
  }
}
