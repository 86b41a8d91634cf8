import Foundation
import Testing

struct RunsCommandTests {
  @Test func listsRunsAndDrawsTheirCurves() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let none = try lab.run(["runs"])
      let logs = folder.appending(path: "output/logs").path(percentEncoded: false)
      #expect(none.output == "No training runs in \(logs); start one with lab train.\n")
      let options = [
        "train", "--data_source=synthetic", "--limit_train_batches=4", "--limit_val_batches=2",
        "--limit_test_batches=2", "--fc1=16",
      ]
      for epochs in [1, 2] {
        let outcome = try lab.run(options + ["--max_epochs=\(epochs)"])
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      let list = try lab.run(["runs"])
      let lines = list.output.split(separator: "\n")
      try #require(lines.count == 3, "\(list.output)\(list.errors)")
      #expect(
        lines[0].wholeMatch(
          of: /Run +Started +Epochs +val_loss +val_acc +test_acc  max_epochs/) != nil)
      for (version, epochs) in [(0, 1), (1, 2)] {
        #expect(lines[version + 1].hasPrefix("MLP-MNIST-SYNTHETIC/version_\(version)  2"))
        let figures = /.*  (\d)    \d\.\d{4}   \d\.\d{4}    \d\.\d{4}           \d/
        #expect(lines[version + 1].wholeMatch(of: figures).map { Int($0.1) } == epochs)
      }

      // Metrics of other objectives get columns of their own.
      let first = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_0/metrics.csv")
      let text = try String(contentsOf: first, encoding: .utf8)
      try text.replacing(/val_acc,test_loss/, with: "val_cer,test_loss")
        .write(to: first, atomically: true, encoding: .utf8)
      let mixed = try lab.run(["runs"]).output.split(separator: "\n")
      #expect(
        mixed.first?.wholeMatch(of: /Run.* val_loss +val_acc +val_cer +test_acc .*/) != nil,
        "\(mixed)"
      )
      #expect(mixed[1].wholeMatch(of: /.*  1 +\d\.\d{4} +- +\d\.\d{4} +\d\.\d{4} .*/) != nil)
      #expect(mixed[2].wholeMatch(of: /.*  2 +\d\.\d{4} +\d\.\d{4} +- +\d\.\d{4} .*/) != nil)
      try text.write(to: first, atomically: true, encoding: .utf8)

      let names = (0...1).map { "MLP-MNIST-SYNTHETIC/version_\($0)" }
      let compared = try lab.run(["runs", "compare"] + names)
      #expect(compared.output == "Figure: \(logs)/compare.png\n")
      let png = try Data(contentsOf: folder.appending(path: "output/logs/compare.png"))
      #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]))

      let wrong = try lab.run(["runs", "compare", "nowhere"])
      #expect(wrong.status == 1)
      #expect(
        wrong.errors
          == "Error: expected the name or the folder of a run, got nowhere; lab runs lists them\n")
      let metrics = folder.appending(path: "output/logs/\(names[0])/metrics.csv")
      try Data("epoch\n".utf8).write(to: metrics)
      // A damaged run does not hide the others.
      let damaged = try lab.run(["runs"])
      #expect(damaged.status == 0)
      let left = damaged.output.split(separator: "\n")
      #expect(left.count == 2 && left[1].hasPrefix("MLP-MNIST-SYNTHETIC/version_1  2"))
      #expect(damaged.errors.hasPrefix("Warning: "), "\(damaged.errors)")
      #expect(
        damaged.errors.contains("metrics.csv: expected columns epoch, step, ")
          && damaged.errors.hasSuffix("; the run is left out\n"), "\(damaged.errors)")

      // More runs than a legend of the usual size has room for.
      let good = folder.appending(path: "output/logs/\(names[1])")
      let many = (2...12).map { "MLP-MNIST-SYNTHETIC/version_\($0)" }
      for name in many {
        try FileManager.default.copyItem(
          at: good, to: folder.appending(path: "output/logs/\(name)"))
      }
      let figure = try lab.run(["runs", "compare"] + many)
      #expect(figure.status == 0 && figure.output == compared.output, "\(figure.errors)")
    }
  }

  /// Names, formats and figures, which `jq` and Python read.
  @Test func runsAreFilteredSortedAndShown() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      #expect(try lab.run(["runs", "--json"]).output == "[]\n")
      #expect(try lab.run(["runs", "--where=a=1"]).output.hasPrefix("No training runs in "))
      try addRuns(to: folder)
      let best = try lab.run(
        ["runs", "--where", "val_acc>0.5", "--where=epochs<3", "--sort=-val_acc"])
      #expect(
        best.output == """
          Run            Started     Epochs  val_loss  val_acc  test_acc    lr                  seed
          MLP/version_1  2026-11-23       2    0.4000   0.9000    0.8000  0.01  18446744073709551615
          MLP/version_0  2026-11-22       1    0.5000   0.7000         -     -                     1

          """, "\(best.errors)")
      let one = try lab.run(["runs", "--where", "lr<1"]).output
      #expect(one.hasSuffix("\nMLP/version_1  2026-11-23       2    0.4000   0.9000    0.8000\n"))
      let none = try lab.run(["runs", "--where", "val_acc>0.95"])
      #expect(none.output == "None of 2 runs has val_acc>0.95.\n" && none.status == 0)
      #expect(try lab.run(["runs", "--where", "val_acc>0.95", "--json"]).output == "[]\n")
      try lab.expectError(["runs", "--where=val_ac>1"], "got val_ac; did you mean val_acc?\n")
      try lab.expectError(["runs", "--sort", "-lrr"], "--sort: expected a metric or an option of ")
      try lab.expectError(
        ["runs", "--descending"], "--descending: expected --sort too, got none\n")

      let json = try lab.run(["runs", "--json", "--sort", "lr", "--descending"])
      let list = try #require(
        JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
      #expect(list.map { $0["run"] as? String } == ["MLP/version_1", "MLP/version_0"])
      let names = [
        "data_class", "epochs", "folder", "metrics", "model_class", "options", "parameters", "run",
        "seed", "started", "state", "synthetic",
      ]
      #expect(list.allSatisfy { $0.keys.sorted() == names })
      let metrics = try #require(list[0]["metrics"] as? [String: Any])
      #expect(metrics["val_acc"] as? Double == 0.9)
      // The largest number of the seed, and a loss that JSON has no number for.
      #expect(json.output.contains("\"seed\" : 18446744073709551615,"))
      #expect(metrics["train_loss"] is NSNull)
      #expect((list[0]["options"] as? [String: Any])?["lr"] as? Double == 0.01)
      #expect(list.map { $0["state"] as? String } == ["finished", "interrupted"])

      let shown = try lab.run(["runs", "show", "MLP/version_1"])
      #expect(shown.status == 0, "\(shown.errors)")
      for line in [
        "Run       MLP/version_1", "Started   2026-11-23T09:00:00Z", "Model     MLP, 7 parameters",
        "Data      MNIST", "Seed      18446744073709551615", "State     finished",
        "lr           0.01                  given", "model_class  MLP",
        "    0         inf    0.6000   0.5000", "    1         inf    0.4000   0.9000  best",
        "Test: test_loss=0.3000, test_acc=0.8000",
        "last.safetensors  2.0 kB  the weights of the last epoch",
      ] { #expect(shown.output.split(separator: "\n").contains(line[...]), "\(shown.output)") }
      let stopped = try lab.run(["runs", "show", "MLP/version_0"]).output
      let path = folder.appending(path: "output/logs/MLP/version_0").path(percentEncoded: false)
      #expect(stopped.contains("\nState           interrupted before its state was saved\n"))
      #expect(stopped.contains("\nTo start again  lab train --resume=\(path)\n"))
      let described = try lab.run(["runs", "show", "--json", path])
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(described.output.utf8)) as? [String: Any])
      #expect(object["best_epoch"] as? Int == 0 && object["saved"] is NSNull)
      #expect(object["resume"] as? String == "lab train --resume=\(path)")
      #expect((object["epoch_metrics"] as? [[String: Any]])?.count == 1)
      try lab.expectError(
        ["runs", "show", "MLP/version_3"],
        "expected the name or the folder of a run, got MLP/version_3; did you mean MLP/version_0?")
    }
  }

  @Test func aRunThatWasStoppedSaysHowToContinue() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let run = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_0")
      let stopped = try lab.run(
        [
          "train", "--data_source=synthetic", "--fc1=16", "--max_epochs=50",
          "--limit_train_batches=20", "--limit_val_batches=1",
        ],
        interruptedWhen: {
          let log = try? Data(contentsOf: run.appending(path: "metrics.csv"))
          guard (log?.count ?? 0) > 200 else { return false }
          // While it runs.
          let shown = try? lab.run(["runs", "show", "MLP-MNIST-SYNTHETIC/version_0"])
          #expect(shown?.output.contains("State     running: ") == true)
          let refused = try? lab.run(["runs", "remove", "--yes", "MLP-MNIST-SYNTHETIC/version_0"])
          #expect(refused?.status == 1)
          #expect(refused?.errors.contains("/version_0: a process is training there; ") == true)
          return true
        })
      #expect(stopped.status == 130, "\(stopped.errors)")
      let shown = try lab.run(["runs", "show", "MLP-MNIST-SYNTHETIC/version_0"]).output
      #expect(
        shown.contains(/\nState        interrupted; saved (in|at the end of) epoch \d+/), "\(shown)"
      )
      let path = run.path(percentEncoded: false)
      #expect(shown.contains("\nTo continue  lab train --resume=\(path)\n"))
      #expect(try lab.run(["runs", "--where=state=interrupted"]).output.contains("version_0"))
    }
  }

  @Test func runsAreRemoved() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      try addRuns(to: folder)
      let logs = folder.appending(path: "output/logs")
      func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(
          atPath: logs.appending(path: path).path(percentEncoded: false))
      }
      try lab.expectError(
        ["runs", "remove", "MLP/version_0"],
        "lab runs remove: expected --yes, since nobody can be asked on standard input, got none\n")
      // If one of the names is wrong, nothing is removed.
      try lab.expectError(
        ["runs", "remove", "--yes", "MLP/version_0", "MLP/version_7"], "got MLP/version_7; did you "
      )
      try lab.expectError(["runs", "remove", "--yes", "MLP"], "got MLP; ")
      let link = logs.appending(path: "MLP/version_5")
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: logs.appending(path: "MLP/version_0"))
      try lab.expectError(
        ["runs", "remove", "--yes", "MLP/version_5"],
        "expected the folder of a run, got a symbolic link; remove the link itself, or ")
      try FileManager.default.removeItem(at: link)
      // A file of another program.
      let foreign = folder.appending(path: "foreign/run.json")
      try FileManager.default.createDirectory(
        at: foreign.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("{}".utf8).write(to: foreign)
      try lab.expectError(
        [
          "runs", "remove", "--yes",
          foreign.deletingLastPathComponent().path(percentEncoded: false),
        ],
        "run.json: expected the record of a training run, got other contents")
      #expect(exists("MLP/version_0/run.json") && exists("MLP/version_1/last.safetensors"))

      try Data("mine".utf8).write(to: logs.appending(path: "MLP/version_1/notes.txt"))
      let path = logs.path(percentEncoded: false)
      let outcome = try lab.run(
        ["runs", "remove", "--yes", "MLP/version_0", "\(path)/MLP/version_1", "MLP/version_1"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.output.contains(
          /Removed .*MLP\/version_0, \d+ B\nRemoved .*MLP\/version_1, 2\.\d kB\n/))
      #expect(
        outcome.errors
          == "Warning: \(path)/MLP/version_1: left notes.txt, which lab train did not write\n")
      #expect(!exists("MLP/version_0") && exists("MLP/version_1/notes.txt"))
      #expect(try lab.run(["runs"]).output.hasPrefix("No training runs in "))

      // A damaged record in the folder of runs, and what a killed `lab runs remove` leaves behind.
      for (name, file) in [("version_2", "run.json"), ("version_3", ".lock")] {
        let url = logs.appending(path: "MLP/\(name)/\(file)")
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("{".utf8).write(to: url)
        #expect(try lab.run(["runs", "remove", "--yes", "MLP/\(name)"]).status == 0)
        #expect(!exists("MLP/\(name)"))
      }
    }
  }

  /// Two runs: one that was stopped in its first epoch, and one that was finished.
  private func addRuns(to folder: URL) throws {
    let columns = "epoch,step,lr,train_loss_step,train_loss,val_loss,val_acc,test_loss,test_acc\n"
    let runs = [
      (#"[]"#, "1", "2026-11-22T09:00:00Z", "0,2,,,0.9,0.5,0.7,,\n"),
      (
        #"["--lr=1e-2"]"#, "18446744073709551615", "2026-11-23T09:00:00Z",
        "0,2,,,inf,0.6,0.5,,\n1,4,,,inf,0.4,0.9,,\n1,4,,,,,,0.3,0.8\n"
      ),
    ]
    for (version, run) in runs.enumerated() {
      let record = """
        {"arguments": \(run.0), "seed": \(run.1), "model_class": "MLP", "model_options": {},
        "parameters": 7, "data_class": "MNIST", "synthetic": false, "data_sources": {},
        "versions": {}, "started": "\(run.2)"}
        """
      let url = folder.appending(path: "output/logs/MLP/version_\(version)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try Data(record.utf8).write(to: url.appending(path: "run.json"))
      try Data((columns + run.3).utf8).write(to: url.appending(path: "metrics.csv"))
      if version == 1 {
        try Data(count: 2000).write(to: url.appending(path: "last.safetensors"))
      }
    }
  }
}
