import Foundation
import Lab
import Spawning
import Testing

/// Runs that are interrupted and resumed.
@Suite(.serialized)
struct ResumedTrainingTests {
  /// At how many moments a run is killed; `LAB_TEST_KILLS=20` takes half a minute.
  static let kills = ProcessInfo.processInfo.environment["LAB_TEST_KILLS"].flatMap(Int.init) ?? 4

  private let options = [
    "train", "--data_source=synthetic", "--max_epochs=3", "--limit_train_batches=20",
    "--limit_val_batches=3", "--limit_test_batches=3", "--checkpoint_every_n_steps=7",
  ]
  private let models = [
    ["--model_class=MLP", "--augment"],
    ["--model_class=CNN", "--conv_dim=8", "--optimizer=SGD", "--momentum=0.9"],
    ["--model_class=ResNet", "--channels=4", "--one_cycle_max_lr=0.01", "--optimizer=AdamW"],
    [
      "--data_class=EMNISTLines", "--model_class=LineCNN", "--loss=ctc", "--conv_dim=4",
      "--fc_dim=16", "--max_length=8", "--num_train=100", "--num_val=20", "--num_test=20",
      "--batch_size=8", "--fresh_lines", "--vary_characters", "--augment", "--num_workers=1",
    ],
  ]

  @Test func aRunThatIsKilledAtAnyMomentEndsWithTheSameBytes() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      // Draws the images, so that the first runs' times do not include them.
      for choice in [[], models[3]] {
        let outcome = try train(
          lab, ["train", "--data_source=synthetic", "--fast_dev_run"] + choice, into: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      for (model, choice) in models.enumerated() {
        let whole = folder.appending(path: "whole-\(model)")
        let start = ContinuousClock.now
        let first = try train(lab, options + choice, into: whole)
        let seconds = start.duration(to: .now) / .seconds(1)
        #expect(first.status == 0, "\(first.errors)")
        for kill in stride(from: model, to: Self.kills, by: models.count) {
          let broken = folder.appending(path: "broken-\(kill)")
          var moments = [Double.random(in: 0...seconds), Double.random(in: 0...seconds)]
          let all = moments
          while true {
            // Killed before its folder existed, a run has to be started again.
            let hasStarted = try !runFiles(in: broken).isEmpty
            let outcome = try train(
              lab, hasStarted ? ["train", "--resume"] : options + choice, into: broken,
              environment: ["LAB_THREADS": "\(1 + moments.count)"],
              seconds: moments.popLast() ?? 300)
            if outcome.status == 0 && moments.isEmpty { break }
            try #require([0, 128 + SIGKILL].contains(outcome.status), "\(outcome.errors)")
          }
          #expect(try differences(broken, whole) == [], "killed after \(all.reversed()) s")
        }
      }
    }
  }

  @Test func ctrlCEndsAfterTheStepAndSaysHowToContinue() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let (whole, broken) = (folder.appending(path: "whole"), folder.appending(path: "broken"))
      try train(lab, options + models[0], into: whole)
      let run = broken.appending(path: "logs/MLP-MNIST-SYNTHETIC/version_0")
      let stopped = try train(lab, options + models[0], into: broken) {
        let log = try? Data(contentsOf: run.appending(path: "metrics.csv"))
        return (log?.count ?? 0) > 200
      }
      #expect(stopped.status == 130)
      let path = run.path(percentEncoded: false)
      let line = stopped.errors.split(separator: "\n").last ?? ""
      #expect(line.hasPrefix("Interrupted: stopped "), "\(stopped.errors)")
      #expect(line.hasSuffix(". To continue: lab train --resume=\(path)"), "\(stopped.errors)")
      let resumed = try train(lab, ["train", "--resume", path], into: broken)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output.contains("\nResuming \(path): epoch "))
      #expect(try differences(broken, whole) == [])

      let nothing = try train(lab, ["train", "--resume"], into: folder.appending(path: "nothing"))
      #expect(nothing.status == 1)
      #expect(
        nothing.errors.contains("expected a training run in ") && nothing.errors.contains("nothing")
      )
      let other = try train(lab, ["train", "--resume", path, "--conv_dim=4"], into: broken)
      #expect(
        other.errors.contains(
          "--conv_dim belongs to CNN, LineCNNSimple, LineCNN, LineCNNLSTM, but --model_class is MLP."
        ))
      for (argument, begun) in [
        ("--seed=9", "--seed=42"), ("--fc1=9", "--fc1=1024"),
        ("--load_checkpoint=nowhere", "no --load_checkpoint"),
        ("--model_class=CNN", "--model_class=MLP"),
      ] {
        let refused = try train(lab, ["train", "--resume", path, argument], into: broken)
        #expect(refused.status == 1)
        #expect(
          refused.errors.contains("--resume: expected \(begun) as when ")
            && refused.errors.contains(" was started, got \(argument); leave it out"),
          "\(refused.errors)")
      }
      // The same values given again are accepted.
      let same = ["train", "--resume", path, "--seed=42", "--fc1=1024"]
      #expect(try train(lab, same, into: broken).status == 0)
      #expect(try differences(broken, whole) == [])
    }
  }

  /// A run whose `run.json` and checkpoints have the options as text, as earlier versions wrote them.
  @Test func aRunOfAnEarlierVersionIsResumed() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let model = ["--model_class=ResNet", "--channels=2", "--pool", "--skip=false"]
      let (whole, old) = (folder.appending(path: "whole"), folder.appending(path: "old"))
      #expect(try train(lab, options + model, into: whole).status == 0)
      #expect(try train(lab, options + model + ["--max_epochs=1"], into: old).status == 0)
      let run = old.appending(path: "logs/ResNet-MNIST-SYNTHETIC/version_0")
      let url = run.appending(path: "run.json")
      let record = try String(contentsOf: url, encoding: .utf8)
        .replacing(/("(?:blocks|channels|skip)" : )(\w+)/) { "\($0.1)\"\($0.2)\"" }
      try #require(record.contains(#""channels" : "2""#) && record.contains(#""skip" : "false""#))
      try record.write(to: url, atomically: true, encoding: .utf8)
      let path = run.path(percentEncoded: false)
      let refused = try train(lab, ["train", "--resume", path, "--channels=4"], into: old)
      #expect(
        refused.errors.contains("--resume: expected --channels=2 as when "), "\(refused.errors)")
      let listed = try lab.run(["runs"], environment: ["LAB_OUTPUT_DIR": old.path()])
      #expect(listed.output.contains("ResNet-MNIST-SYNTHETIC/version_0"))
      let resumed = try train(lab, ["train", "--resume", path, "--max_epochs=3"], into: old)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try differences(old, whole) == [])
    }
  }

  /// A run that is resumed with other options has them from then on.
  @Test func optionsOfAResumedRunAreRecorded() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let output = folder.appending(path: "output")
      let model = ["--model_class=MLP", "--fc1=16", "--fc2=8"]
      #expect(try train(lab, options + model + ["--max_epochs=1"], into: output).status == 0)
      let url = output.appending(path: "logs/MLP-MNIST-SYNTHETIC/version_0/run.json")
      let before = try RunRecord(contentsOf: url)
      // What is refused is not recorded.
      for refused in ["--seed=9", "--one_cycle_max_lr=0.1", "--batch_size=64"] {
        #expect(try train(lab, ["train", "--resume", refused], into: output).status != 0)
      }
      #expect(try RunRecord(contentsOf: url) == before)
      let changes = ["--max_epochs", "2", "--gradient_clip_val=0.5"]
      for _ in 0..<2 {
        let resumed = try train(lab, ["train", "--resume"] + changes, into: output)
        #expect(resumed.status == 0, "\(resumed.errors)")
      }
      var after = try RunRecord(contentsOf: url)
      #expect(after.arguments == before.arguments + changes)
      #expect(after.hyperparameters?["max_epochs"] == "2")
      #expect(after.hyperparameters?["gradient_clip_val"] == "0.5")
      let again = try train(lab, ["train", "--resume", "--max_epochs=3"], into: output)
      #expect(again.output.contains("Epoch 2 ") && !again.output.contains("Epoch 1 "))
      after.arguments.append("--max_epochs=3")
      #expect(try RunRecord(contentsOf: url).arguments == after.arguments)
      let listed = try lab.run(
        ["runs", "show", "MLP-MNIST-SYNTHETIC/version_0"],
        environment: ["LAB_OUTPUT_DIR": output.path()])
      #expect(listed.output.contains(/gradient_clip_val +0\.5 +given/), "\(listed.output)")
    }
  }

  /// The run is resumed with the learning rate that was found.
  @Test func aLearningRateIsFoundAndRecorded() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let output = folder.appending(path: "output")
      let model = ["--model_class=MLP", "--fc1=16", "--fc2=8", "--auto_lr_find", "--max_epochs=1"]
      let outcome = try train(lab, options + model, into: output)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let found = try #require(
        outcome.output.firstMatch(of: /Learning rate: (\S+), suggested by (\d+) steps/))
      let run = output.appending(path: "logs/MLP-MNIST-SYNTHETIC/version_0")
      let record = try RunRecord(contentsOf: run.appending(path: "run.json"))
      #expect(record.arguments.last == "--lr=\(found.1)")
      #expect(!record.arguments.contains("--auto_lr_find"))
      #expect(record.hyperparameters?["lr"] == String(found.1))
      let picture = try Data(contentsOf: run.appending(path: "learning-rates.png"))
      #expect(picture.starts(with: [0x89, 0x50, 0x4e, 0x47]))
      let resumed = try train(lab, ["train", "--resume", "--max_epochs=2"], into: output)
      #expect(resumed.status == 0 && !resumed.output.contains("Learning rate:"))

      // The same training with that rate from the start, in two epochs at once.
      let other = folder.appending(path: "other")
      let same = ["--model_class=MLP", "--fc1=16", "--fc2=8", "--max_epochs=2", "--lr=\(found.1)"]
      #expect(try train(lab, options + same, into: other).status == 0)
      #expect(try differences(output, other) == [])
      let refused = try train(lab, ["train", "--resume", "--auto_lr_find"], into: output)
      #expect(refused.errors.contains("--auto_lr_find: expected a new run, got --resume"))
    }
  }

  /// The run is resumed with the batch size that was found.
  @Test(arguments: ["", "=binsearch"]) func aBatchSizeIsFoundAndRecorded(search: String) throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let output = folder.appending(path: "output")
      let model = [
        "train", "--data_source=synthetic", "--model_class=MLP", "--fc1=16", "--fc2=8",
        "--max_epochs=1", "--batch_size=10", "--auto_scale_batch_size\(search)",
        "--accelerator=cpu",
      ]
      let outcome = try train(lab, model, into: output)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let images = try #require(
        outcome.output.firstMatch(of: /sizes (\d+),/).flatMap { Int($0.1) })
      let found = try #require(
        outcome.output.firstMatch(of: /Batch size: (\d+), for which training takes about/)
          .flatMap { Int($0.1) })
      // So small a network leaves room for all images.
      let power = 1 << (Int.bitWidth - 1 - images.leadingZeroBitCount)
      #expect(found == (search.isEmpty ? power : images))
      let url = output.appending(path: "logs/MLP-MNIST-SYNTHETIC/version_0/run.json")
      let arguments = try RunRecord(contentsOf: url).arguments
      #expect(arguments.suffix(2) == ["--gpus=0", "--batch_size=\(found)"])
      let gone = ["--auto_scale_batch_size", "--accelerator", "--batch_size=10"]
      let left = arguments.filter { argument in gone.contains { argument.hasPrefix($0) } }
      #expect(left == [])
      let resumed = try train(lab, ["train", "--resume", "--max_epochs=2"], into: output)
      #expect(resumed.status == 0 && !resumed.output.contains("Batch size:"), "\(resumed.errors)")
      let refused = try train(
        lab, ["train", "--resume", "--auto_scale_batch_size\(search)"], into: output)
      #expect(
        refused.errors.contains("--auto_scale_batch_size: expected a new run, got --resume"))
      // The same training with that size from the start, in two epochs at once.
      let other = folder.appending(path: "other")
      let same = model.prefix(5) + ["--max_epochs=2", "--batch_size=\(found)"]
      #expect(try train(lab, Array(same), into: other).status == 0)
      #expect(try differences(output, other) == [])
    }
  }

  /// Validation inside epochs, another metric, norms of gradients and averaged weights.
  @Test func whatIsMonitoredChoosesTheWeights() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let (whole, broken) = (folder.appending(path: "whole"), folder.appending(path: "broken"))
      let all =
        options + [
          "--model_class=MLP", "--fc1=16", "--fc2=8", "--val_check_interval=0.25",
          "--monitor=val_acc", "--track_grad_norm=2", "--stochastic_weight_avg", "--swa_lr=0.002",
        ]
      let outcome = try train(lab, all, into: whole)
      #expect(outcome.status == 0, "\(outcome.errors)")
      for text in [
        /Epoch 1 \(SYNTHETIC data\), step 35: val_loss=\d\.\d{4}, val_acc=\d\.\d{4}\n/,
        /The weights are the mean of those after the last 2 epochs\.\n/,
        /Best checkpoint: .*epoch=00\d-val_acc=\d\.\d{3}\.safetensors\n/,
      ] as [Regex<Substring>] {
        #expect(outcome.output.contains(text), "\(outcome.output)")
      }
      let run = whole.appending(path: "logs/MLP-MNIST-SYNTHETIC/version_0")
      let text = try String(
        contentsOf: run.appending(path: "metrics.csv"), encoding: .utf8)
      #expect(
        text.split(separator: "\n")[0].contains(",grad_2.0_norm_total,grad_2.0_norm_fc1.weight"))
      let shown = try lab.run(
        ["runs", "show", "MLP-MNIST-SYNTHETIC/version_0"],
        environment: ["LAB_OUTPUT_DIR": whole.path(percentEncoded: false)])
      #expect(shown.output.contains(/monitor +val_acc +given/), "\(shown.output)")
      // Stopped three times.
      var stops = 0
      while stops < 3 {
        let stopped = try train(
          lab, stops == 0 ? all : ["train", "--resume"], into: broken
        ) {
          let csv = broken.appending(path: "logs/MLP-MNIST-SYNTHETIC/version_0/metrics.csv")
          let rows = (try? String(contentsOf: csv, encoding: .utf8))?.split(separator: "\n").count
          return (rows ?? 0) > 12 * (stops + 1)
        }
        stops += 1
        guard stopped.status != 0 else { break }
      }
      #expect(try train(lab, ["train", "--resume"], into: broken).status == 0)
      #expect(try differences(whole, broken) == [])
    }
  }

  @discardableResult
  private func train(
    _ lab: Program, _ arguments: [String], into output: URL, environment: [String: String] = [:],
    seconds: Double = 300, interruptedWhen isToStop: () -> Bool = { false }
  ) throws -> Spawned.Outcome {
    let folder = ["LAB_OUTPUT_DIR": output.path(percentEncoded: false)]
    return try lab.run(
      arguments, environment: environment.merging(folder) { $1 }, seconds: seconds,
      interruptedWhen: isToStop)
  }

  /// The names of the files that differ between two runs, or that only one of them has.
  private func differences(_ first: URL, _ second: URL) throws -> [String] {
    let (first, second) = (try runFiles(in: first), try runFiles(in: second))
    return Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
  }
}
