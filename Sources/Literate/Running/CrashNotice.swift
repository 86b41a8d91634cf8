/// Leaves out what Swift's runtime writes to standard error while it makes the report of a crash: an
/// address that differs from run to run, and empty lines around it.
package struct CrashNotice {
  private var emptyLines: [Event] = []
  private var hasCome = false

  package init() {}

  /// The events to tell, now that another one has come.
  package mutating func filter(_ event: Event) -> [Event] {
    if case .text(let line) = event, line.stream == .standardError {
      if line.text.hasPrefix("*** Signal "), line.text.contains(": Backtracing from 0x") {
        emptyLines = []
        hasCome = true
        return []
      }
      if line.text == "\n" {
        if !hasCome { emptyLines.append(event) }
        return []
      }
    }
    defer { emptyLines = [] }
    return emptyLines + [event]
  }
}
