import Foundation
import Lab
import TestSupport
import Testing

@Suite struct DataOptionsTests {
  private func choose(_ source: DataSource, _ error: DataError?) throws -> (String, Bool, [String])
  {
    let lines = Lines()
    let (parts, isSynthetic) = try source.choose(
      "EMNIST", report: lines.add,
      real: {
        if let error { throw error }
        return "real"
      }, synthetic: { "drawn" })
    return (parts, isSynthetic, lines.all)
  }

  @Test(arguments: [DataSource.auto, .download])
  func realDataArePreferred(source: DataSource) throws {
    #expect(try choose(source, nil) == ("real", false, []))
  }

  @Test func syntheticNeverDownloads() throws {
    #expect(
      try choose(.synthetic, DataError(.damaged, "must not be asked")) == ("drawn", true, []))
  }

  @Test func autoFallsBackAndReportsWhy() throws {
    #expect(
      try choose(.auto, DataError(.unavailable, "no network")) == (
        "drawn", true,
        ["EMNIST: using SYNTHETIC handwriting drawn by this program: no network"]
      ))
  }

  @Test func downloadNeverFallsBack() {
    let error = DataError(.unavailable, "no network")
    #expect(throws: error) { try choose(.download, error) }
  }

  @Test(arguments: [DataError(.damaged, "wrong sum"), DataError(.unusable, "no permission")])
  func autoReportsDamage(error: DataError) {
    #expect(throws: error) { try choose(.auto, error) }
  }

  @Test(arguments: ["auto", "download", "synthetic"])
  func namesOnTheCommandLine(name: String) {
    #expect(DataSource(rawValue: name)?.rawValue == name)
  }
}
