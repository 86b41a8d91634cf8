import ArgumentParser
import Lab

/// The program `lab`.
@main
struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "Lab 2 of the FSDL 2021 course: train models on images of handwriting.",
    subcommands: [
      TrainCommand.self, RunsCommand.self, PredictCommand.self, DataCommand.self,
      NotebooksCommand.self,
    ])

  static func main() {
    checkEnvironment()
    main(courseSpelling(Array(CommandLine.arguments.dropFirst())))
  }
}
