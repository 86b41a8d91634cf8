import Foundation

/// The result of `body`; if it throws, the program ends with the error's one line on standard error
/// and exit status 1.
///
/// For a program's top-level code, where an error that nobody catches ends in a crash report.
@discardableResult
package func exitOnError<Result>(_ body: () throws -> Result) -> Result {
  do {
    return try body()
  } catch {
    // What was printed before belongs above the error, also when both go to one file.
    fflush(nil)
    try? FileHandle.standardError.write(contentsOf: Data("Error: \(error)\n".utf8))
    exit(1)
  }
}
