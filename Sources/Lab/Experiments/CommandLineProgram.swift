import Foundation
import Kernels
import LabData
import LabTraining
import StandardStreams

// What every command-line program of this package does: check the environment, accept hyphens in
// options, and end with one line if something goes wrong.

/// Prepares standard output and error, and ends the program with one line if `LAB_KERNELS`, `LAB_BLAS` or
/// `LAB_THREADS` has a value that is not allowed.
public func prepareProgram() {
  StandardStreams.prepare()
  FileSignals.prepare()
  exitOnError {
    try KernelSet.checkRequest()
    if let threads = ProcessInfo.processInfo.environment["LAB_THREADS"], !threads.isEmpty,
      Int(threads).map({ (1...1024).contains($0) }) != true
    {
      throw TrainingError("LAB_THREADS: expected a number from 1 to 1024, got \(threads)")
    }
  }
}

/// Command-line arguments with the options in the course's spelling, with underscores:
/// `--max-epochs=5` becomes `--max_epochs=5`. What follows a `--` stays as it is.
///
/// - Parameter arguments: The arguments as typed.
public func courseSpelling(_ arguments: [String]) -> [String] {
  let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
  return arguments[..<end].map { argument in
    // The argument parser's own options keep their hyphens.
    guard argument.hasPrefix("--"), !argument.hasPrefix("--generate-completion-script") else {
      return argument
    }
    let parts = argument.dropFirst(2).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first else { return argument }
    let spelled = name.map { $0 == "-" ? "_" : String($0) }.joined()
    return "--" + ([spelled] + parts.dropFirst().map(String.init)).joined(separator: "=")
  } + arguments[end...]
}

/// The result of `body`; if it throws, prints the error as one line on standard error and ends the
/// program with exit status 1.
///
/// For a program's top-level code, where an uncaught error ends in a crash report.
@discardableResult
package func exitOnError<Result>(_ body: () throws -> Result) -> Result {
  do {
    return try body()
  } catch {
    StandardError.writeLine("Error: \(error)")
    exit(1)
  }
}
