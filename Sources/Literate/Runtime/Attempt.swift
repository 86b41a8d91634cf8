import Foundation

/// The result of `body`; if it throws, the notebook ends with the error's one line on standard error
/// and exit status 1.
///
/// For top-level code, where an error that nobody catches ends in a crash report:
///
/// ```swift
/// let data = attempt { try EMNIST() }
/// ```
@MainActor
@discardableResult
public func attempt<Result>(line: Int = #line, _ body: () throws -> Result) -> Result {
  do {
    return try body()
  } catch {
    tell(error, line: line)
    exit(1)
  }
}

/// Runs `body`; if it throws, the error's one line is written to standard error, and the notebook
/// ends with exit status 1, except in a cell that is expected to fail.
///
/// ```swift
/// cell("A wrong shape", expectedToFail: true)
/// attempt { print(try linear(images, weight)) }
/// ```
@MainActor
public func attempt(line: Int = #line, _ body: () throws -> Void) {
  do {
    try body()
  } catch {
    tell(error, line: line)
    guard Session.current.cell?.expectedToFail == true else { exit(1) }
  }
}

@MainActor
private func tell(_ error: any Error, line: Int) {
  // What was printed before belongs above the error, also when both go to one file.
  fflush(nil)
  try? FileHandle.standardError.write(contentsOf: Data("Error: \(error)\n".utf8))
  Session.current.report(.failure(.init(message: "\(error)", line: line)))
}
