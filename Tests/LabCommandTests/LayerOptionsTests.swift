import Foundation
import Lab
import Spawning
import Testing

/// `--weights_summary=full`, `--profiler=simple` and `--log_graph`.
struct LayerOptionsTests {
  @Test func layersAreShownMeasuredAndLogged() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let arguments = [
        "train", "--model_class=MLP", "--data_source=synthetic", "--max_epochs=1",
        "--limit_train_batches=5", "--limit_val_batches=2", "--limit_test_batches=2", "--fc1=32",
        "--progress_bar_refresh_rate=0",
      ]
      let plain = try lab.run(arguments)
      #expect(plain.status == 0, "\(plain.errors)")
      let result = try lab.run(
        arguments + ["--weights_summary=full", "--profiler=simple", "--log_graph"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.output.contains(
          "\n2 | fc1     | Linear  | [128, 784]       | [128, 32]  | 25.1 K | 25.1 K\n"))
      #expect(result.output.contains("\n30.5 K    Total multiply-adds for one image\n"))
      #expect(!result.output.contains("train_acc | Accuracy"))
      // Times are no results.
      #expect(!result.output.contains("Profiler report"))
      let lines = result.errors.split(separator: "\n")
      #expect(lines.contains("Profiler report"))
      #expect(lines.count { $0.hasPrefix("forward: fc1 ") } == 1)
      // Figures are drawn from the model, but are no part of its training.
      #expect(!lines.contains { $0.hasPrefix("forward: slice ") })

      let runs = (0...1).map {
        folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_\($0)")
      }
      for name in ["last.safetensors", "metrics.csv"] {
        let files = try runs.map { try Data(contentsOf: $0.appending(path: name)) }
        #expect(files[0] == files[1], "\(name)")
      }
      let exists = runs.map {
        FileManager.default.fileExists(
          atPath: $0.appending(path: "trace.json").path(percentEncoded: false))
      }
      #expect(exists == [false, true])
      let events = try runs.map {
        try Data(contentsOf: $0.appending(path: "events.out.tfevents.lab"))
      }
      #expect(events.map { $0.ranges(of: Data("MLP/fc1/linear".utf8)).count } == [0, 2])
    }
  }

  /// Without a run's folder there is a report and no trace.
  @Test func aFastDevRunIsMeasured() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let result = try lab.run([
        "train", "--model_class=ResNet", "--channels=4", "--data_source=synthetic",
        "--fast_dev_run", "--profiler=simple", "--weights_summary=none", "--micro_shards=2",
      ])
      #expect(result.status == 0, "\(result.errors)")
      #expect(!result.output.contains("Trainable params"))
      #expect(result.errors.contains("forward and backward "))
      #expect(result.errors.contains("backward: blocks.2.shortcut.norm "))
      #expect(result.errors.contains("whose times are added up."))
    }
  }

  @Test func otherProfilersAreAnsweredInALine() throws {
    try withFolder { folder in
      let result = try Program(name: "lab", folder: folder).run(["train", "--profiler=advanced"])
      #expect(result.status == 64 && result.output.isEmpty)
      let line = result.errors.split(separator: "\n").first ?? ""
      #expect(
        line.hasPrefix("Error: The value 'advanced' is invalid for '--profiler <profiler>': "))
      #expect(
        line.contains("expected simple, got advanced; simple has times by operation and layer"))
    }
  }
}
