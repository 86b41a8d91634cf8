import Foundation
import Lab
import TestSupport
import Testing

/// `metrics.csv` of this version, of older ones, and of newer ones.
@Suite struct MetricsFileTests {
  private let header =
    "epoch,step,lr,train_loss_step,train_loss,train_acc,val_loss,val_acc,test_loss,test_acc"

  @Test func classificationWritesTheColumnsOfOlderVersions() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.run = try TrainingRun(folder.url)
      trainer.limitTrainBatches = .count(2)
      let model = CNN(data.config)
      let history = try trainer.fit(model, data, optimizer: Adam(model.parameters))
      let results = try trainer.test(model, data)
      let lines = try text(of: folder).split(separator: "\n").map(String.init)
      try #require(lines.count == 5)
      #expect(lines[0] == header)
      #expect(lines[1].wholeMatch(of: /0,1,0.001,\d\.\d+,,,,,,/) != nil)
      #expect(lines[2].wholeMatch(of: /0,2,0.001,\d\.\d+,,,,,,/) != nil)
      let (train, val) = (history[0].train, try #require(history[0].val))
      #expect(lines[3] == "0,2,,,\(train.loss),\(train.accuracy),\(val.loss),\(val.accuracy),,")
      #expect(lines[4] == "0,2,,,,,,,\(results.loss),\(results.accuracy)")
    }
  }

  @Test func columnsAreFoundByName() throws {
    let run = try history(
      """
      step,note,epoch,val_loss,val_cer,val_acc
      4,first,0,0.5,0.25,0.9
      8,,1,0.75,,0.8
      9,half
      """)
    #expect(run.values(of: .valLoss).map(\.value) == [0.5, 0.75])
    #expect(run.values(of: .valLoss).map(\.epoch) == [0, 1])
    #expect(run.values(of: Scalar("val_cer")).map(\.value) == [0.25])
    #expect(run.values(of: .trainLoss).isEmpty)
    #expect(run.best(.valLoss) == 0.5 && run.best(.valAccuracy) == 0.9)
    #expect(run.best(.testAccuracy) == nil)
  }

  /// Spreadsheets save files with CR and LF, some with a byte-order mark.
  @Test(arguments: ["", "\u{FEFF}"])
  func filesOfSpreadsheetsAreRead(mark: String) throws {
    let run = try history(
      mark + "epoch,step,train_loss,val_loss\r\n0,4,0.9,0.5\r\n1,8,0.8,0.25\r\n")
    #expect(run.values(of: .valLoss).map(\.value) == [0.5, 0.25])
    #expect(run.values(of: .trainLoss).map(\.epoch) == [0, 1])
    #expect(run.epochs == 2)
  }

  @Test func aSymbolicLinkIsNotFollowed() throws {
    let folder = try TemporaryFolder()
    try folder.write(Data("precious".utf8), to: "other.txt")
    let link = folder.url.appending(path: "metrics.csv")
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: folder.url.appending(path: "other.txt"))
    let path = link.path(percentEncoded: false)
    expectDataError(
      "cannot write \(path): it is a symbolic link; remove it"
    ) { _ = try TrainingRun(folder.url) }
    #expect(try folder.read("other.txt") == Data("precious".utf8))
  }

  /// What a log of a resumed run lacks is reported, and the rest is appended to whole rows.
  @Test(arguments: [0, 40, 250])
  func aLogThatIsTooShortIsReported(size: Int) throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      var warnings: [String] = []
      func train(epochs: Int) throws {
        let trainer = quietTrainer(maxEpochs: epochs)
        trainer.run = try TrainingRun(folder.url)
        trainer.warn = { warnings.append($0) }
        let model = seeded(1) { CNN(data.config) }
        _ = try seeded(1) { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
      }
      try train(epochs: 1)
      let (whole, events) = (try text(of: folder), try folder.read("events.out.tfevents.lab"))
      try folder.write(Data(whole.utf8.prefix(size)), to: "metrics.csv")
      try folder.write(events.prefix(size), to: "events.out.tfevents.lab")
      try train(epochs: 2)
      try #require(warnings.count == 2)
      let advice = "; missing rows are not restored"
      #expect(
        warnings[0].contains(
          "metrics.csv: expected at least \(whole.utf8.count) bytes, as when the")
          && warnings[0].hasSuffix("training state was saved, got \(size)\(advice)"))
      #expect(warnings[1].contains("events.out.tfevents.lab: expected at least \(events.count) "))
      let lines = try text(of: folder).split(separator: "\n").map(String.init)
      #expect(lines[0] == header)
      let before = whole.utf8.prefix(size).split(separator: UInt8(ascii: "\n"))
      let rows = max(0, before.count - (size == 250 ? 2 : 1))
      #expect(lines.count == 1 + rows + 5 + 1)
      #expect(try RunHistory(of: folder).values(of: .trainLoss).map(\.epoch) == [1])
    }
  }

  @Test func aLogThatAnotherProgramHasChangedIsReported() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      var warnings: [String] = []
      for epochs in 1...2 {
        let trainer = quietTrainer(maxEpochs: epochs)
        trainer.run = try TrainingRun(folder.url)
        trainer.warn = { warnings.append($0) }
        let model = seeded(1) { CNN(data.config) }
        _ = try seeded(1) { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
        guard epochs == 1 else { continue }
        let changed = try text(of: folder).replacing("\n", with: "\r\n")
        try folder.write(Data(changed.utf8), to: "metrics.csv")
      }
      #expect(warnings.count == 1)
      #expect(
        warnings.first?.hasSuffix(
          "metrics.csv: another program has changed it since the training state was saved; its rows "
            + "are kept, and some may appear twice") == true, "\(warnings)")
      #expect(try RunHistory(of: folder).values(of: .trainLoss).map(\.epoch) == [0, 1])
    }
  }

  @Test(arguments: [
    ("a,b\n", "columns epoch, step, lr, train_loss … in line 1"),
    ("epoch,step,lr\n0,1\n", "an epoch and 2 more cells in line 2"),
    ("epoch,step,lr\n0,1,2\nx,1,2\n", "an epoch and 2 more cells in line 3"),
    ("epoch,step,lr\n0,1,abc\n", "a number as lr in line 2"),
  ])
  func damagedFilesAreRefusedInOneLine(text: String, expected: String) throws {
    let error = #expect(throws: DataError.self) { try history(text) }
    #expect(
      error?.description.hasSuffix("metrics.csv: expected \(expected), got something else") == true,
      "\(String(describing: error))")
  }

  /// Its file may have the columns of another version.
  @Test func aResumedRunContinuesTheColumnsOfItsFile() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      func train(epochs: Int) throws {
        let trainer = quietTrainer(maxEpochs: epochs)
        trainer.run = try TrainingRun(folder.url)
        trainer.logEverySteps = 1000
        let model = seeded(1) { CNN(data.config) }
        _ = try seeded(1) { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }
      }
      try train(epochs: 1)
      let changed = try text(of: folder).replacing("val_acc,test_loss", with: "Val_acc,test_loss")
      try folder.write(Data(changed.utf8), to: "metrics.csv")
      try train(epochs: 2)
      let lines = try text(of: folder).split(separator: "\n")
      try #require(lines.count == 3)
      #expect(lines[0] == changed.split(separator: "\n")[0])
      #expect(lines[2].wholeMatch(of: /1,10,,,\d\.\d+(e-\d+)?,\d\.\d+,\d\.\d+(e-\d+)?,,,/) != nil)
    }
  }

  private func text(of folder: TemporaryFolder) throws -> String {
    String(decoding: try folder.read("metrics.csv"), as: UTF8.self)
  }

  private func history(_ text: String) throws -> RunHistory {
    let folder = try TemporaryFolder()
    try folder.write(Data(text.utf8), to: "metrics.csv")
    return try RunHistory(of: folder)
  }
}

extension RunHistory {
  /// The history in a folder, which gets the record of some run.
  fileprivate init(of folder: TemporaryFolder) throws {
    let json = """
      {
        "arguments": [], "seed": 1, "model_class": "MLP", "model_options": {}, "parameters": 7,
        "data_class": "MNIST", "synthetic": false, "data_sources": {}, "versions": {},
        "started": "2026-11-01T10:00:00Z"
      }
      """
    try folder.write(Data(json.utf8), to: "run.json")
    try self.init(of: folder.url)
  }
}
