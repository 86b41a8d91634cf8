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
          of: /Run +Started +Epochs +val_loss +val_acc +test_acc  Options that differ/) != nil)
      for (version, epochs) in [(0, 1), (1, 2)] {
        #expect(lines[version + 1].hasPrefix("MLP-MNIST-SYNTHETIC/version_\(version)  2"))
        let figures = /.*  (\d)    \d\.\d{4}   \d\.\d{4}    \d\.\d{4}  --max_epochs=\d/
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
        wrong.errors.hasPrefix("Error: cannot read ") && wrong.errors.contains("nowhere/run.json"))
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
}
