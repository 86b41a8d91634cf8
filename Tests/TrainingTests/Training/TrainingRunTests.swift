import Foundation
import Lab
import TestSupport
import Testing

/// Folders of runs that have just started.
@Suite struct TrainingRunTests {
  @Test func aRunAppearsWithItsRecord() throws {
    let folder = try TemporaryFolder()
    let records = try [record(seed: 1), record(seed: 2)]
    // A file or a folder that is not empty takes its number.
    try folder.write(Data(), to: "logs/a/version_0")
    try folder.write(Data(), to: "logs/a/version_1/notes.txt")
    for (index, record) in records.enumerated() {
      let run = try OutputFolder.newRun("a", record, in: folder.url)
      #expect(run.lastPathComponent == "version_\(index + 2)")
      #expect(try RunRecord(contentsOf: TrainingRun.record(in: run)) == record)
      #expect(try folder.names(in: "logs/a/version_\(index + 2)") == ["run.json"])
    }
    #expect(
      try folder.names(in: "logs/a") == ["version_0", "version_1", "version_2", "version_3"])
    #expect(
      TrainingRun.all(in: folder.url).map(\.lastPathComponent) == ["version_2", "version_3"])
  }

  @Test func simultaneousRunsGetDifferentNumbers() async throws {
    let folder = try TemporaryFolder()
    let record = try record(seed: 1)
    let runs = try await withThrowingTaskGroup(of: URL.self) { group in
      for _ in 0..<20 {
        group.addTask { try OutputFolder.newRun("a", record, in: folder.url) }
      }
      return try await group.reduce(into: []) { $0.append($1.lastPathComponent) }
    }
    #expect(runs.sorted() == (0..<20).map { "version_\($0)" }.sorted())
    #expect(try folder.names(in: "logs/a") == runs.sorted())
  }

  @Test func aFolderThatAKilledProgramWasCreatingIsNoRun() throws {
    let folder = try TemporaryFolder()
    let part = folder.url.appending(path: "logs/a/.B3F5.part")
    try record(seed: 1).write(to: TrainingRun.record(in: part))
    #expect(TrainingRun.all(in: folder.url) == [])
    #expect(throws: DataError.self) { try TrainingRun.newest(in: folder.url) }
    #expect(
      try OutputFolder.newRun("a", record(seed: 1), in: folder.url).lastPathComponent
        == "version_0")
  }

  @Test func aRunWithoutMetricsIsTheNewestAndHasNoEpochs() throws {
    let folder = try TemporaryFolder()
    let older = try OutputFolder.newRun("a", record(seed: 1), in: folder.url)
    _ = try TrainingRun(older)
    try FileManager.default.setAttributes(
      [.modificationDate: Date.now.addingTimeInterval(-60)],
      ofItemAtPath: older.appending(path: "metrics.csv").path(percentEncoded: false))
    let newer = try OutputFolder.newRun("a", record(seed: 2), in: folder.url)
    #expect(try TrainingRun.newest(in: folder.url).lastPathComponent == newer.lastPathComponent)
    for run in [older, newer] {
      let history = try RunHistory(of: run)
      #expect(history.epochs == 0)
      #expect(history.best(.valAccuracy) == nil)
    }
  }

  /// What a device computed after the saved state was lost.
  @Test func aRecordSaysWhichDeviceComputedWhichSteps() throws {
    var record = try record(seed: 1)
    // `#expect` does not call a mutating method itself.
    func note(_ device: String, from step: Int) -> Bool { record.note(device: device, from: step) }
    #expect(record.devices == nil)
    // A run of an earlier version, on the processor.
    #expect(note("gpu", from: 10))
    #expect(record.devices?.map(\.device) == ["cpu", "gpu"])
    #expect(!note("gpu", from: 20))
    #expect(note("cpu", from: 25))
    #expect(note("other", from: 25))
    #expect(record.devices?.map(\.device) == ["cpu", "gpu", "other"])
    #expect(record.devices?.map(\.fromStep) == [0, 10, 25])
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "run.json")
    try record.write(to: file)
    #expect(try RunRecord(contentsOf: file) == record)
    #expect(note("cpu", from: 0))
    #expect(record.devices == [DeviceUse(device: "cpu", fromStep: 0)])
  }

  private func record(seed: UInt64) throws -> RunRecord {
    let json = """
      {
        "arguments": ["--seed=\(seed)"], "seed": \(seed), "model_class": "MLP",
        "model_options": {"fc1": "16"}, "parameters": 7, "data_class": "MNIST", "synthetic": false,
        "data_sources": {}, "versions": {}, "started": "2026-11-01T10:00:00Z"
      }
      """
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(RunRecord.self, from: Data(json.utf8))
  }
}
