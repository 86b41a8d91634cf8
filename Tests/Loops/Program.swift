import CFunctions
import KernelInterface
import KernelsNEON

/// Compares each loop with the plain one, and prints a line for each: its name, how many results were
/// compared, and the largest error.
@main
struct Program {
  static func main() {
    let (found, expected) = (results(Loops.self), results(PlainLoops.self))
    var reports: [Report] = []
    for (found, expected) in zip(found, expected) {
      let index = reports.firstIndex { $0.loop == expected.loop } ?? reports.count
      if index == reports.count { reports.append(Report(loop: expected.loop)) }
      reports[index].add(found, expected)
    }
    for report in reports { print(report.line) }
    var isRight = found.count == expected.count && reports.allSatisfy { $0.wrong == 0 }
    // The reference is right itself.
    let error = plainWinogradError()
    if !(error < 1e-6) {
      isRight = false
      print("the plain Winograd loops differ from the definition by \(text(error))")
    }
    exit(isRight ? 0 : 1)
  }

  private static func results<L: VectorLoops>(_ loops: L.Type) -> [Result] {
    var record = Record()
    products(loops, &record)
    convolutions(loops, &record)
    elementwise(loops, &record)
    sequences(loops, &record)
    images(loops, &record)
    return record.results
  }
}

/// What the results of a loop have in common.
private struct Report {
  let loop: String
  private var compared = 0
  private(set) var wrong = 0
  private var largest = 0.0
  /// The first wrong result.
  private var first = ""

  init(loop: String) { self.loop = loop }

  mutating func add(_ found: Result, _ expected: Result) {
    let (error, element) = largestError(found, expected)
    compared += 1
    largest = max(largest, error)
    guard !(error <= expected.tolerance) || !found.isIntact else { return }
    if wrong == 0 {
      first =
        "error \(text(error)) at element \(element) of \(expected.values.count), allowed "
        + text(expected.tolerance) + (found.isIntact ? "" : ", written beyond its memory")
    }
    wrong += 1
  }

  var line: String {
    "\(loop): \(compared) results, largest error \(text(largest))"
      + (wrong == 0 ? "" : "; WRONG: \(wrong), the first one with \(first)")
  }
}

private func text(_ error: Double) -> String {
  error < 1e9 ? "\(Int((error * 1e9).rounded()))e-9" : "infinite"
}
