import Literate
import Testing

struct FingerprintTests {
  private func fingerprint(
    code: String = "code", text: String = "text", program: String = "program",
    libraries: String = "libraries"
  ) -> Fingerprint {
    Fingerprint(
      code: code, text: text, program: program, libraries: libraries, arguments: [],
      environment: [:], recordsTimes: false)
  }

  @Test func anotherProgramMatchesOnlyIfProseChanged() {
    let earlier = fingerprint()
    #expect(fingerprint().matches(earlier))
    #expect(fingerprint(text: "prose").matches(earlier))
    #expect(fingerprint(text: "prose", program: "built again").matches(earlier))
    // The program was rebuilt after the run from unchanged sources.
    #expect(!fingerprint(program: "built again").matches(earlier))
    #expect(!fingerprint(code: "other", text: "other").matches(earlier))
    #expect(
      !fingerprint(text: "prose", program: "built again", libraries: "other").matches(earlier))
  }

  @Test func withoutLibrariesOnlyTheSameProgramMatches() {
    let earlier = fingerprint(libraries: "")
    #expect(fingerprint(text: "prose", libraries: "").matches(earlier))
    #expect(
      !fingerprint(text: "prose", program: "built again", libraries: "").matches(earlier))
  }
}
