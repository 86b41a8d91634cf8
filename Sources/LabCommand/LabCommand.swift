import ArgumentParser
import Foundation
import Lab
import LabMPI

/// The program `lab`.
@main
struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "Lab 2 of the FSDL 2021 course: train models on images of handwriting.",
    version: "0.7.0",
    subcommands: [
      TrainCommand.self, RunsCommand.self, PredictCommand.self, ReadCommand.self,
      DataCommand.self, NotebooksCommand.self, KernelCommand.self,
    ])

  static func main() {
    prepareProgram()
    let arguments = courseSpelling(Array(CommandLine.arguments.dropFirst()))
    if let launch = Launch.current, launch.size != 1 { checkForProcesses(arguments, launch) }
    if let message = problem(in: arguments) { exit(withError: ValidationError(message)) }
    main(arguments)
  }

  /// Ends the program if several processes cannot run these arguments: all of them see that, and the
  /// first one says it.
  private static func checkForProcesses(_ arguments: [String], _ launch: Launch) {
    let error: any Error
    do {
      if let message = problem(in: arguments) { throw ValidationError(message) }
      guard try parseAsRoot(arguments) is TrainCommand else {
        throw ValidationError(
          "expected lab train or the program of a notebook with mpirun, got lab "
            + (arguments.first ?? ""))
      }
      return
    } catch let problem {
      error = problem
    }
    // mpirun ends all when one of them ends with an error.
    if launch.rank > 0 {
      Thread.sleep(forTimeInterval: 1)
      Foundation.exit(exitCode(for: error).rawValue)
    }
    exit(withError: error)
  }

  /// A message about options of Lightning that do not exist here, or about a command that does not exist;
  /// nil if there are none.
  private static func problem(in arguments: [String]) -> String? {
    let answer = arguments.first == "train" ? LightningAnswers.answer(to: arguments) : nil
    return answer ?? misspelling(in: arguments)
  }

  /// A message about a command that does not exist; nil if there is none.
  ///
  /// The argument parser takes such a word for an unexpected argument, and says so without the names
  /// that it expects.
  static func misspelling(in arguments: [String]) -> String? {
    var command: any ParsableCommand.Type = LabCommand.self
    var path = "lab"
    for word in arguments {
      let commands = command.configuration.subcommands
      // A default command may have arguments of its own.
      guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
      if let next = commands.first(where: { $0._commandName == word }) {
        command = next
        path += " \(word)"
        continue
      }
      let names = commands.map { $0._commandName }
      let hint = nearestName(to: word, in: names).map { "; did you mean \(path) \($0)?" } ?? ""
      return "\(path): expected \(names.joined(separator: ", ")), got \(word)\(hint)"
    }
    return nil
  }
}
