import Foundation
import Lab
import TestSupport
import Testing

/// Removing runs.
struct RunRemovalTests {
  private let runs: Runs
  private let run: URL

  private static let names = [
    ".lab-0123456789abcdef.part", "epoch=003-val_loss=0.039.safetensors",
    "events.out.tfevents.lab", "last.safetensors", "metrics.csv", "training_state.safetensors",
  ]

  init() throws {
    runs = try Runs()
    run = try runs.add("version_0", []).folder
    for name in Self.names {
      try runs.folder.write(Data([1, 2, 3]), to: "logs/x/version_0/\(name)")
    }
  }

  @Test func theFolderOfARunIsRemoved() throws {
    let removed = try TrainingRun.remove(run)
    #expect(removed.own.first == "training_state.safetensors")
    #expect(removed.own.suffix(2) == ["run.json", ".lock"])
    #expect(removed.own.count == Self.names.count + 2 && removed.foreign == [])
    #expect(removed.bytes > 3 * Self.names.count)
    // With its last run, the folder of that name goes too, but never that of all runs.
    #expect(try runs.folder.names(in: "logs") == [])
  }

  @Test func otherFilesStay() throws {
    try runs.folder.write(Data("keep".utf8), to: "logs/x/version_0/notes.txt")
    try runs.folder.write(Data("keep".utf8), to: "logs/x/version_0/figures/a.png")
    try runs.folder.write(Data("keep".utf8), to: "elsewhere.safetensors")
    // A link with a name of ours, and a folder with one.
    let target = runs.folder.url.appending(path: "elsewhere.safetensors")
    try FileManager.default.createSymbolicLink(
      at: run.appending(path: "epoch=001-val_loss=0.1.safetensors"), withDestinationURL: target)
    try FileManager.default.removeItem(at: run.appending(path: "last.safetensors"))
    try runs.folder.write(Data("keep".utf8), to: "logs/x/version_0/last.safetensors/a")
    let removed = try TrainingRun.remove(run)
    let left = ["epoch=001-val_loss=0.1.safetensors", "figures", "last.safetensors", "notes.txt"]
    #expect(removed.foreign == left)
    #expect(try runs.folder.names(in: "logs/x/version_0") == left)
    #expect(try runs.folder.read("elsewhere.safetensors") == Data("keep".utf8))
    #expect(TrainingRun.all(in: runs.folder.url) == [])
  }

  @Test func aRunInWhichAProcessTrainsStays() throws {
    #expect(!TrainingRun.isHeld(run))
    #expect(try runs.folder.names(in: "logs/x/version_0").contains(".lock") == false)
    try TrainingRun.hold(run) {
      #expect(TrainingRun.isHeld(run))
      let state = try RunHistory(of: run).state
      #expect(state == .running)
      #expect(throws: TrainingError.self) { try TrainingRun.remove(run) }
    }
    #expect(!TrainingRun.isHeld(run))
    #expect(try runs.folder.names(in: "logs/x/version_0").count == Self.names.count + 2)
  }

  /// A folder from which the first files were removed before the program was killed is a run until
  /// its record is gone, and can then be removed too.
  @Test func removingCanBeRepeatedAfterEachFile() throws {
    let order = try TrainingRun.hold(run) { try TrainingRun.contents(ofRun: run).own }
    for count in 1...order.count {
      let copy = runs.folder.url.appending(path: "logs/x/version_\(count)")
      try FileManager.default.copyItem(at: run, to: copy)
      for name in order.prefix(count) {
        try FileManager.default.removeItem(at: copy.appending(path: name))
      }
      let isRun = TrainingRun.all(in: runs.folder.url).map(\.lastPathComponent)
        .contains("version_\(count)")
      #expect(isRun == (count < order.count - 1))
      #expect(TrainingRun.isRemnant(copy) == !isRun)
      try TrainingRun.remove(copy)
      #expect(!runs.folder.exists("logs/x/version_\(count)"))
    }
    try runs.folder.write(Data(), to: "logs/x/version_9/notes.txt")
    #expect(!TrainingRun.isRemnant(runs.folder.url.appending(path: "logs/x/version_9")))
    #expect(!TrainingRun.isRemnant(runs.folder.url.appending(path: "logs/x/nowhere")))
  }
}
