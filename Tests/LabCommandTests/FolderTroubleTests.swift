import Foundation
import Spawning
import Testing

/// Folders that cannot be written, full disks and simultaneous runs: one line, and no broken files.
@Suite(.serialized)
struct FolderTroubleTests {
  private let training = [
    "train", "--model_class=MLP", "--data_class=MNIST", "--data_source=synthetic", "--max_epochs=1",
    "--limit_train_batches=3", "--limit_val_batches=1", "--limit_test_batches=1", "--fc1=32",
  ]

  /// The last line of standard error, which is the error; the other lines are progress.
  private func error(_ outcome: Spawned.Outcome) -> String {
    outcome.errors.split(separator: "\n").last.map(String.init) ?? ""
  }

  @Test(arguments: [
    ("LAB_OUTPUT_DIR", "train"), ("LAB_DATA_DIR", "train"), ("LAB_DATA_DIR", "data"),
  ])
  func aFolderThatCannotBeMadeIsOneLine(variable: String, command: String) throws {
    try withFolder { folder in
      // Not even root can create a folder below a file.
      let file = folder.appending(path: "file").path(percentEncoded: false)
      try "".write(toFile: file, atomically: true, encoding: .utf8)
      let outcome = try Program(name: "lab", folder: folder).run(
        command == "train" ? training : ["data", "show", "--data_source=synthetic"],
        environment: [variable: "\(file)/below"])
      #expect(outcome.status == 1)
      #expect(error(outcome).hasPrefix("Error: cannot make the folder \(file)/below"))
      #expect(!outcome.errors.contains("Fatal"))
    }
  }

  @Test func aFullDiskLeavesNoPartOfAFile() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let data = try lab.run(training, blocks: 64)
      #expect(data.status == 1)
      #expect(error(data).hasPrefix("Error: cannot write "))
      #expect(error(data).hasSuffix(": file too large"))
      // With enough space, the same folder can be used.
      let first = try lab.run(training)
      #expect(first.status == 0, "\(first.errors)")
      let weights = try lab.run(training, blocks: 64)
      #expect(weights.status == 1)
      #expect(error(weights).hasPrefix("Error: cannot write "))
      #expect(error(weights).contains(".safetensors: file too large"))
      let runs = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC")
      let left = try FileManager.default.subpathsOfDirectory(
        atPath: runs.path(percentEncoded: false))
      #expect(left.filter { $0.hasSuffix(".part") } == [])
      #expect(left.allSatisfy { !$0.hasPrefix("version_1/") || !$0.hasSuffix(".safetensors") })
      // With enough space, the interrupted run can be resumed, and ends like the first one.
      let resumed = try lab.run(["train", "--resume"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      for name in ["last.safetensors", "metrics.csv"] {
        #expect(
          try Data(contentsOf: runs.appending(path: "version_1/\(name)"))
            == Data(contentsOf: runs.appending(path: "version_0/\(name)")))
      }
    }
  }

  @Test func aMissingDataFolderIsCreatedAgain() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let first = try lab.run(training)
      #expect(first.status == 0, "\(first.errors)")
      try FileManager.default.removeItem(at: folder.appending(path: "data"))
      let second = try lab.run(training)
      #expect(second.status == 0, "\(second.errors)")
      // The same except for the run's number, and the line about drawing the data.
      #expect(second.output.hasSuffix(first.output.suffix(80)))
    }
  }

  @Test func simultaneousRunsHaveTheirOwnFolders() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let lab = Program(name: "lab", folder: folder)
    let outcomes = try await withThrowingTaskGroup(of: Spawned.Outcome.self) { group in
      for _ in 0..<3 { group.addTask { try lab.run(training) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
    let runs = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: runs.path(percentEncoded: false))
    #expect(names.sorted() == ["version_0", "version_1", "version_2"])
    for name in names {
      let files = try FileManager.default.contentsOfDirectory(
        atPath: runs.appending(path: name).path(percentEncoded: false))
      // The best weights, the last ones, and the training state.
      #expect(files.count { $0.hasSuffix(".safetensors") } == 3)
    }
  }
}
