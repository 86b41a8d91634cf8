import Literate
import Testing

struct DiagnosisTests {
  @Test func exitStatusZeroIsNoFailure() {
    #expect(Diagnosis().failure(of: .exit(0), crash: nil) == nil)
  }

  @Test(arguments: [
    ("", Child.Ending.exit(3), nil, "ended with exit status 3", nil as Int?),
    ("Error: no data\n", .exit(1), nil, "no data", nil),
    ("", .signal(9), nil, "ended by signal 9 (Killed)", nil),
    (
      "", .signal(4), CrashReport("main + 230 in one at /one/main.swift:3:30"),
      "a runtime check failed, such as an array index: signal 4 (Illegal instruction)", 3
    ),
    ("one/main.swift:12: Fatal error: not so\n", .signal(4), nil, "not so", 12),
    (
      "Swift/ErrorType.swift:253: Fatal error: Error raised at top level: no data\n", .signal(4),
      CrashReport("  3 main in one at /one/main.swift:7:3"), "no data", nil
    ),
    (
      "", .signal(4),
      CrashReport(
        """
        *** Program crashed: Illegal instruction at 0x1 ***
          0 [inlined] [system] 0x2 Swift runtime failure: Index out of range in one at //<compiler-generated>
          1 0x2 main + 230 in one at /one/main.swift:3:30
        """), "Index out of range", 3
    ),
    (
      "", .signal(4), CrashReport("*** Swift runtime failure: precondition failure ***\n"),
      "precondition failure", nil
    ),
  ])
  func namesTheCause(
    errors: String, ending: Child.Ending, crash: CrashReport?, message: String, line: Int?
  ) {
    var diagnosis = Diagnosis()
    diagnosis.read(Array("some\nlines\n\(errors)".utf8))
    let failure = diagnosis.failure(of: ending, crash: crash)
    #expect(failure?.message == message)
    #expect(failure?.line == line)
  }

  @Test func theRunnersReasonTakesPrecedence() {
    var diagnosis = Diagnosis()
    diagnosis.reason = "interrupted"
    #expect(diagnosis.failure(of: .signal(9), crash: nil)?.message == "interrupted")
  }
}
