/// Somebody ended a notebook that was to be checked with Ctrl-C.
struct NotebookInterruption: Error, CustomStringConvertible {
  let name: String

  var description: String { "\(name): interrupted" }
}
