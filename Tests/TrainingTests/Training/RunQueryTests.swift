import Foundation
import Lab
import TestSupport
import Testing

/// Properties of runs, conditions on them, their order and their list.
struct RunQueryTests {
  @Test func optionsAreThoseGivenThoseOfTheModelAndRecordedDefaults() throws {
    let runs = try Runs()
    let old = try runs.add(
      "a", ["--lr=1e-2", "--momentum", "0.9", "--pool", "--nesterov", "--lr", "0.02"],
      model: ["halving": "pool", "channels": "4"], seed: .max)
    #expect(
      old.settings == [
        "model_class": "MLP", "data_class": "MNIST", "seed": .text("18446744073709551615"),
        "lr": 0.02, "momentum": 0.9, "nesterov": true, "halving": "pool", "channels": 4,
      ])
    #expect(old.given == ["lr", "momentum", "halving", "nesterov"])
    let new = try runs.add(
      "b", ["--lr=1e-2", "--data_dir=1e400"], hyperparameters: ["lr": "0.01", "augment": "false"])
    #expect(
      new.settings == [
        "model_class": "MLP", "data_class": "MNIST", "seed": 1, "lr": 0.01, "augment": false,
        "data_dir": "1e400",
      ])
  }

  /// `1e-3` and `0.001` are the same number; what only looks like one is text.
  @Test(
    arguments: [
      ("1e-3", 0.001), ("1.0", 1), ("-7", -7), (".5", 0.5), ("true", true), ("nan", "nan"),
      ("inf", "inf"), ("0x10", "0x10"), ("9223372036854775808", "9223372036854775808"),
      ("2026-11-23", "2026-11-23"), ("", ""),
    ] as [(String, OptionValue)])
  func valuesAreParsedAsTyped(text: String, value: OptionValue) {
    #expect(OptionValue(typed: text) == value)
  }

  private func three() throws -> Runs {
    let runs = try Runs()
    try runs.add(
      "a", ["--lr=0.01", "--model_class=CNN"], modelClass: "CNN",
      metrics: ["0,2,,,,0.5,0.7,,", "1,4,,,,0.4,0.65,,", "1,4,,,,,,0.3,0.8"],
      started: "2026-11-22T23:00:00Z")
    try runs.add(
      "b", [], metrics: ["0,2,,,,0.6,0.90001,,"], started: "2026-11-23T09:00:00Z",
      hyperparameters: ["lr": "0.001"])
    try runs.add("c", ["--optimizer=SGD"], started: "2026-11-24T00:00:00Z")
    return runs
  }

  @Test(arguments: [
    ("val_acc>0.7", ["b"]), ("val_acc>=0.7", ["a", "b"]), ("val_acc < 0.8", ["a"]),
    ("val_acc=0.9000", ["b"]), ("val_acc==0.9", ["b"]), ("val_acc!=0.9", ["a", "c"]),
    ("val_loss<=0.4", ["a"]), ("test_acc>0", ["a"]), ("lr=1e-2", ["a"]), ("lr<0.005", ["b"]),
    ("--lr>=0.001", ["a", "b"]), ("lr!=0.01", ["b", "c"]), ("model_class=CNN", ["a"]),
    ("model-class!=CNN", ["b", "c"]), ("optimizer=SGD", ["c"]), ("epochs>=1", []),
    ("epochs=0", ["a", "b", "c"]), ("started>2026-11-23", ["c"]),
    ("started>=2026-11-23", ["b", "c"]), ("started=2026-11-23", ["b"]),
    ("started<2026-11-23T09:00:01Z", ["a", "b"]), ("state=finished", ["a"]),
    ("state!=finished", ["b", "c"]), ("run=x/c", ["c"]), ("seed=1", ["a", "b", "c"]),
    ("model_class>0", []), ("lr=fast", []),
  ])
  func runsThatMeetACondition(text: String, names: [String]) throws {
    let runs = try three().all()
    let condition = try RunCondition(text)
    try condition.check(runs)
    #expect(try runs.filter { try condition.isMet(by: $0) }.map(\.name) == names.map { "x/\($0)" })
  }

  @Test(arguments: [
    ("", "expected a name, one of > >= < <= = != and a value, such as 'val_acc>0.7', got nothing"),
    ("lr", "expected a name, one of > >= < <= = != and a value, such as 'val_acc>0.7', got lr"),
    (">1", "expected a name, one of > >= < <= = != and a value, such as 'val_acc>0.7', got >1"),
    ("lr!1", "expected a name, one of > >= < <= = != and a value, such as 'val_acc>0.7', got lr!1"),
    ("lr>", "expected a value after lr>, got nothing"),
    ("val_acc>high", "expected a number after val_acc>, got val_acc>high"),
    ("val_acc=inf", "expected a number after val_acc=, got val_acc=inf"),
    ("lr>fast", "expected a number after lr>, got lr>fast"),
    ("epochs=two", "expected a number after epochs=, got epochs=two"),
    (
      "started>monday",
      "expected a date such as 2026-11-23 or 2026-11-23T09:30:00Z after started>, got started>monday"
    ),
    ("run<x", "expected one of = and != after run, got run<x"),
    (
      "state=done", "expected one of running, finished, interrupted after state=, got state=done"
    ),
    (
      "vall_acc>1",
      "expected a metric or an option of the runs, or run, started, epochs or state, got vall_acc; "
        + "did you mean val_acc?"
    ),
    (
      "entropy>1",
      "expected a metric or an option of the runs, or run, started, epochs or state, got entropy; "
        + "lab runs --json shows their names"
    ),
  ])
  func conditionsThatCannotBeCheckedAreErrors(text: String, message: String) throws {
    let runs = try three().all()
    #expect {
      try RunCondition(text).check(runs)
    } throws: {
      "\($0)" == "--where: \(message)"
    }
  }

  @Test(arguments: [
    ("val_acc", false, "abc"), ("-val_acc", false, "bac"), ("val_acc", true, "bac"),
    ("lr", false, "bac"), ("-lr", false, "abc"), ("optimizer", false, "cab"),
    ("started", true, "cba"), ("run", true, "cba"), ("epochs", true, "abc"),
    ("model-class", false, "abc"), ("-state", false, "bca"),
  ])
  func runsAreSorted(name: String, isDescending: Bool, names: String) throws {
    let runs = try three().all()
    let order = try RunOrder(name, isDescending: isDescending)
    try order.check(runs)
    #expect(order.sorted(runs).map(\.name) == names.map { "x/\($0)" })
  }

  @Test func ordersThatDoNotExistAreErrors() throws {
    let runs = try three().all()
    #expect {
      try RunOrder("-val_los", isDescending: false).check(runs)
    } throws: {
      "\($0)".hasSuffix("got val_los; did you mean val_loss?")
    }
    #expect {
      try RunOrder("-", isDescending: false)
    } throws: {
      "\($0)"
        == "--sort: expected the name of a metric or an option, such as val_acc, got -"
    }
  }

  @Test func optionsThatDifferHaveColumns() throws {
    let table = RunTable(try three().all())
    let wide = """
      Run  Started     Epochs  val_loss  val_acc  test_acc  model_class     lr  optimizer
      x/a  2026-11-22       0    0.4000   0.7000    0.8000          CNN   0.01          -
      x/b  2026-11-23       0    0.6000   0.9000         -          MLP  0.001          -
      x/c  2026-11-24       0         -        -         -          MLP      -        SGD
      """
    #expect(table.text() == wide)
    #expect(table.text(width: 83) == wide)
    #expect(
      table.text(width: 75) == """
        Run  Started     Epochs  val_loss  val_acc  test_acc  model_class     lr
        x/a  2026-11-22       0    0.4000   0.7000    0.8000          CNN   0.01
        x/b  2026-11-23       0    0.6000   0.9000         -          MLP  0.001
        x/c  2026-11-24       0         -        -         -          MLP      -
        No room for 1 option, which lab runs --wide shows: optimizer
        """)
    #expect(
      table.text(width: 56).hasSuffix(
        "\nNo room for 3 options, which lab runs --wide shows: mod…"))
    #expect(RunTable([]).options == [])
  }

  /// What nobody gave, and only some models have, is no difference; nor is one number written in two
  /// ways.
  @Test func optionsOfOtherModelsHaveNoColumns() throws {
    let runs = try Runs()
    try runs.add("a", ["--lr=0.010", "--seed=1"], model: ["fc1": 16], hyperparameters: ["b": "1"])
    try runs.add("b", ["--lr=1e-2", "--num_workers=2"], model: ["fc1": 16, "fc2": 8])
    #expect(RunTable(try runs.all()).options == ["num_workers"])
    try runs.add("c", ["--load_checkpoint=output/logs/CNN-MNIST/version_0/last.safetensors"])
    let table = RunTable(try runs.all())
    #expect(table.options == ["lr", "num_workers", "load_checkpoint"])
    #expect(table.text(width: 200).hasSuffix("  …sion_0/last.safetensors"))
    #expect(table.text().hasSuffix("  output/logs/CNN-MNIST/version_0/last.safetensors"))
  }
}

/// Folders of runs.
final class Runs {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a run; without metrics, nothing was logged.
  @discardableResult
  func add(
    _ name: String, _ arguments: [String], modelClass: String = "MLP",
    model: [String: OptionValue] = [:], seed: UInt64 = 1, metrics: [String] = [],
    started: String = "2026-11-01T10:00:00Z", hyperparameters: [String: String]? = nil
  ) throws -> RunHistory {
    func json(_ value: some Encodable) throws -> String {
      String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }
    let record = """
      {"arguments": \(try json(arguments)), "seed": \(seed), "model_class": "\(modelClass)",
      "model_options": \(try json(model)), "hyperparameters": \(try json(hyperparameters)),
      "parameters": 7, "data_class": "MNIST", "synthetic": false, "data_sources": {},
      "versions": {}, "started": "\(started)"}
      """
    try folder.write(Data(record.utf8), to: "logs/x/\(name)/run.json")
    if !metrics.isEmpty {
      let lines =
        ["epoch,step,lr,train_loss_step,train_loss,val_loss,val_acc,test_loss,test_acc"] + metrics
      try folder.write(
        Data((lines.joined(separator: "\n") + "\n").utf8), to: "logs/x/\(name)/metrics.csv")
    }
    return try RunHistory(of: folder.url.appending(path: "logs/x/\(name)"))
  }

  func all() throws -> [RunHistory] {
    try TrainingRun.all(in: folder.url).map { try RunHistory(of: $0) }
  }
}
