import Foundation
import Lab
import Spawning
import Testing

@Suite(.serialized)
struct TrainCommandTests {
  @Test func trainsAndEndsWithTheCoursesTwoLines() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let arguments = [
        "train", "--model_class=MLP", "--data_class=MNIST", "--data_source=synthetic",
        "--max-epochs=1", "--limit_train_batches=5", "--limit-val-batches", "2",
        "--limit_test_batches=2", "--num_workers=1", "--fc1=32",
      ]
      let first = try lab.run(arguments)
      #expect(first.status == 0, "\(first.errors)")
      let lines = first.output.split(separator: "\n")
      #expect(lines.suffix(2).first == "DATALOADER:0 TEST RESULTS (SYNTHETIC data)")
      #expect(lines.last?.wholeMatch(of: /\{'test_acc': \d\.\d{4}\}/) != nil)
      #expect(lines.first == "Data: SYNTHETIC MNIST, train/val/test sizes 27500, 2500, 5000")

      let logs = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_0")
      let names = try FileManager.default.contentsOfDirectory(
        atPath: logs.path(percentEncoded: false))
      let best = try #require(names.first { $0.hasPrefix("epoch=000-val_loss=") })
      #expect(
        names.sorted() == [
          ".lock", best, "events.out.tfevents.lab", "last.safetensors", "metrics.csv", "run.json",
          "training_state.safetensors",
        ])
      let checkpoint = logs.appending(path: best).path(percentEncoded: false)
      let record = try RunRecord(contentsOf: logs.appending(path: "run.json"))
      #expect(record.modelOptions == ["fc1": 32, "fc2": 128] && record.seed == 42)
      #expect(record.dataSources["SyntheticHandwriting"]?.count == 64)
      #expect(
        try Safetensors(contentsOf: logs.appending(path: best)).metadata["model_options"]
          == #"{"fc1":32,"fc2":128}"#)

      // The same command again has a folder of its own, and the same output except for its name.
      let second = try lab.run(arguments)
      #expect(
        second.output == first.output.replacingOccurrences(of: "version_0", with: "version_1"))

      let loaded = try lab.run(arguments + ["--load_checkpoint=\(checkpoint)", "--fast_dev_run"])
      #expect(loaded.status == 0, "\(loaded.errors)")
      // The model is the checkpoint's; options that contradict it are refused.
      let start = ["train", "--data_source=synthetic", "--load_checkpoint=\(checkpoint)"]
      #expect(try lab.run(start + ["--fast_dev_run"]).status == 0)
      for (option, message) in [
        (
          "--fc1=64",
          "expected weights of a model with --fc1=64, got those of one with --fc1=32; leave "
        ),
        ("--model_class=CNN", "expected weights of CNN, got those of MLP; leave out "),
        ("--pool", "--pool belongs to ResNet, but --model_class is MLP."),
      ] {
        let wrong = try lab.run(start + [option])
        #expect(wrong.status == 1 && wrong.output.isEmpty)
        #expect(wrong.errors.contains(message), "\(wrong.errors)")
        #expect(wrong.errors.split(separator: "\n").count == 1)
      }
      // Without a header, the options are those of the command line.
      let bare = folder.appending(path: "bare.safetensors")
      try Safetensors(tensors: Safetensors(contentsOf: URL(filePath: checkpoint)).tensors)
        .write(to: bare)
      let wrong = try lab.run(
        ["train", "--data_source=synthetic", "--fast_dev_run", "--load_checkpoint", bare.path()])
      #expect(wrong.status == 1)
      #expect(
        wrong.errors.contains("expected fc1.weight of shape [1024, 784], got [32, 784]; is it a"))
    }
  }

  @Test(arguments: [
    (
      ["tran"],
      "lab: expected train, runs, predict, read, data, notebooks, kernel, got tran; did you mean lab train?"
    ),
    (["notebook", "list"], "got notebook; did you mean lab notebooks?"),
    (
      ["runs", "lst"],
      "lab runs: expected list, show, compare, remove, got lst; did you mean lab runs list?"
    ),
    (
      ["xylophone"],
      "lab: expected train, runs, predict, read, data, notebooks, kernel, got xylophone\n"
    ),
  ])
  func commandsThatDoNotExistAreRefused(arguments: [String], message: String) throws {
    try withFolder { folder in
      let outcome = try Program(name: "lab", folder: folder).run(arguments)
      #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  /// Data sets are small, models may be of any size.
  @Test(arguments: [
    ["--model_class=CNN", "--conv_dim=4096", "--fc_dim=65536"],
    ["--model_class=MLP", "--fc1=65536", "--fc2=65536"],
  ])
  func modelsThatDoNotFitIntoMemoryAreRefused(arguments: [String]) throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let outcome = try lab.run(
        ["train", "--data_source=synthetic", "--fast_dev_run"] + arguments,
        command: ["/bin/sh", "-c", "ulimit -v 20000000; exec \"$0\" \"$@\""])
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains(
          "training \(arguments[0].dropFirst(14)) with "
            + arguments.dropFirst().joined(separator: " ") + ": expected up to ")
          && outcome.errors.hasSuffix("choose a smaller model\n"), "\(outcome.errors)")
    }
  }

  // MARK: Standard output

  /// The descriptor's number must not be that of a log.
  @Test func aClosedStandardOutputDoesNotDamageTheLogs() throws {
    try withFolder { folder in
      let outcome = try train(in: folder, redirection: ">&-")
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.hasSuffix("Error: cannot write standard output: Bad file descriptor\n"),
        "\(outcome.errors)")
      let run = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_0")
      let metrics = try String(
        contentsOf: run.appending(path: "metrics.csv"), encoding: .utf8)
      #expect(metrics.hasPrefix("epoch,step,lr,") && !metrics.contains("Epoch"))
      #expect(metrics.split(separator: "\n").count == 5)
    }
  }

  #if os(Linux)
    @Test func outputThatIsLostIsAnError() throws {
      try withFolder { folder in
        let outcome = try train(in: folder, redirection: ">/dev/full")
        #expect(outcome.status == 1)
        #expect(
          outcome.errors.hasSuffix(
            "Error: cannot write standard output: No space left on device\n"))
        // What can be saved is saved.
        let run = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_0")
        #expect(
          FileManager.default.fileExists(
            atPath: run.appending(path: "training_state.safetensors").path()))
      }
    }
  #endif

  /// Nothing is held back until the program ends, which a kill would lose.
  @Test func aLineIsInTheFileWhenItsEpochHasEnded() throws {
    try withFolder { folder in
      let log = folder.appending(path: "log")
      func lines() -> [Substring] {
        ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n")
      }
      // The program is interrupted as soon as a line is there, long before its last epoch.
      let outcome = try train(
        in: folder, redirection: "> log", epochs: 100_000,
        interruptedWhen: { lines().contains { $0.hasPrefix("Epoch 1 ") } })
      #expect(outcome.status == 130)
      #expect(!lines().contains { $0.hasPrefix("DATALOADER") })
    }
  }

  /// A closed terminal sends SIGHUP.
  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func eachSignalKeepsTheState(signal: Int32, status: Int32) throws {
    try withFolder { folder in
      let run = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_0")
      let log = folder.appending(path: "log")
      let outcome = try train(
        in: folder, redirection: "> log", epochs: 100_000, stopping: signal,
        interruptedWhen: {
          ((try? String(contentsOf: log, encoding: .utf8)) ?? "").contains("Epoch 0")
        })
      #expect(outcome.status == status)
      #expect(outcome.errors.contains("Interrupted: stopped "), "\(outcome.errors)")
      #expect(
        FileManager.default.fileExists(
          atPath: run.appending(path: "training_state.safetensors").path()))
    }
  }

  /// Lines of eight characters and small networks.
  private let lines = [
    "train", "--data_class=EMNISTLines", "--data_source=synthetic", "--max_length=8",
    "--num_train=96", "--num_val=16", "--num_test=16", "--batch_size=16", "--conv_dim=4",
    "--fc_dim=16", "--max_epochs=2",
  ]

  @Test(
    arguments: [
      ["--model_class=LineCNNSimple", "--max_overlap=0"],
      ["--model_class=LineCNNSimple", "--window_stride=20", "--limit_output_length"],
      ["--model_class=LineCNN", "--window_width=28", "--window_stride=18", "--loss=ctc"],
      ["--model_class=LineCNNLSTM", "--lstm_dim=8", "--loss=ctc", "--language_model"],
    ])
  func readsLinesAndPrintsErrorRates(options: [String]) throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let outcome = try lab.run(lines + options)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let last = outcome.output.split(separator: "\n").last
      let rate = /\{'test_acc': \d\.\d{4}, 'test_cer': \d\.\d{4}, 'test_line_cer': \d\.\d{4}\}/
      #expect(last?.wholeMatch(of: rate) != nil, "\(last ?? "")")
      #expect(
        outcome.output.contains("TEST RESULTS with a language model (SYNTHETIC data)")
          == options.contains("--language_model"))

      let name = options[0].dropFirst("--model_class=".count)
      let run = folder.appending(path: "output/logs/\(name)-EMNISTLines-SYNTHETIC/version_0")
      let checkpoint = try CheckpointedModel(run)
      #expect(checkpoint.dataClass == "EMNISTLines" && checkpoint.model is any LineModel)
      #expect(checkpoint.loss == (options.contains("--loss=ctc") ? "ctc" : "cross_entropy"))
      #expect(
        checkpoint.configuration.options["limit_output_length"]
          == .bool(options.contains("--limit_output_length")))
      #expect(try checkpoint.model(Tensor(repeating: 0, shape: [1, 1, 28, 224])).shape[1] == 83)
      // The options of the lines are those of the run.
      let resumed = try lab.run(["train", "--resume", "--max_epochs=3"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output.contains("train/val/test sizes 96, 16, 16"))
      #expect(resumed.output.contains("Epoch 2 (SYNTHETIC data): "))
    }
  }

  @Test(
    arguments: [
      (
        ["--model_class=LineCNN", "--data_class=MNIST"],
        "--data_class: LineCNN reads whole lines, but MNIST has one label an image; expected "
          + "EMNISTLines."
      ),
      (
        ["--model_class=CNN", "--data_class=EMNISTLines"],
        "--data_class: CNN reads one character an image, but EMNISTLines has whole lines; expected "
          + "MNIST, EMNIST or Folder, or a model that reads lines: LineCNNSimple, LineCNN, LineCNNLSTM"
      ),
      (
        ["--model_class=CNN", "--data_class=MNIST", "--loss=ctc"],
        "--loss: expected cross_entropy or multi_margin_loss for CNN, which reads one character an "
          + "image, got ctc"
      ),
      (
        ["--model_class=LineCNN", "--data_class=EMNISTLines", "--loss=multi_margin_loss"],
        "--loss: expected cross_entropy or ctc for LineCNN, which reads lines, got multi_margin_loss"
      ),
      (
        ["--model_class=LineCNNSimple", "--data_class=EMNISTLines", "--language_model"],
        "--language_model: expected --loss=ctc, got cross_entropy; leave it out, or train with --loss=ctc"
      ),
      (
        ["--model_class=CNN", "--data_class=MNIST", "--max_overlap=0.2"],
        "--max_overlap belongs to EMNISTLines, but --data_class is MNIST."
      ),
      (
        ["--model_class=CNN", "--data_class=MNIST", "--limit_output_length"],
        "--limit_output_length belongs to LineCNNSimple, LineCNN, LineCNNLSTM"
      ),
      (["--fresh_lines"], "--fresh_lines belongs to EMNISTLines, but --data_class is MNIST."),
      (
        ["--noise=0.1"],
        "--noise belongs to EMNISTLines, but --data_class is MNIST; expected --degrees, "
          + "--translate, --scale or --shear."
      ),
      (
        ["--model_class=LineCNN", "--loss=ctc", "--data_class=EMNISTLines", "--degrees=5"],
        "--degrees belongs to images of one character, but --data_class is EMNISTLines; expected "
          + "--shear, --line_width, --line_height, --line_shift, --stroke or --noise."
      ),
      (
        [
          "--model_class=LineCNN", "--loss=ctc", "--data_class=EMNISTLines", "--fresh_lines",
          "--overfit_batches=2",
        ],
        "--overfit_batches: expected the same lines in each epoch, got --fresh_lines; leave it out."
      ),
    ] as [([String], String)])
  func modelDataAndLossMustBeOfOneTask(options: [String], message: String) throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let outcome = try lab.run(["train", "--data_source=synthetic", "--max_epochs=1"] + options)
      #expect(outcome.status != 0 && outcome.output.isEmpty)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  @Test func aLineModelThatDoesNotFitTheLinesLeavesNoRun() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      for (options, message) in [
        (
          ["--window_width=300"],
          "Error: --window_width: expected at most 224, the width of the images, got 300"
        ),
        (
          ["--window_width=28", "--window_stride=16"],
          "Error: LineReading: expected 8 steps, as many as a line has labels, for the cross-entropy, "
            + "got 13; --limit_output_length leaves out the others; --loss=ctc takes any number"
        ),
      ] {
        let outcome = try lab.run(lines + ["--model_class=LineCNN"] + options)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        let runs = folder.appending(path: "output/logs/LineCNN-EMNISTLines-SYNTHETIC/version_0")
        #expect(!FileManager.default.fileExists(atPath: runs.path(percentEncoded: false)))
      }
    }
  }

  private func train(
    in folder: URL, redirection: String, epochs: Int = 1, stopping: Int32 = SIGINT,
    interruptedWhen: () -> Bool = { false }
  ) throws -> Spawned.Outcome {
    try Program(name: "lab", folder: folder).run(
      [
        "train", "--data_source=synthetic", "--fc1=8", "--fc2=8", "--max_epochs=\(epochs)",
        "--limit_train_batches=2", "--limit_val_batches=1", "--limit_test_batches=1",
      ],
      command: [
        "/bin/sh", "-c",
        "cd '\(folder.path(percentEncoded: false))' && exec \"$0\" \"$@\" \(redirection)",
      ], stopping: stopping, interruptedWhen: interruptedWhen)
  }

  @Test(
    arguments: [
      (["--max_epoch=5"], "Did you mean '--max_epochs'?"),
      (
        ["--model_class=CMN"],
        "'--model_class <model_class>': expected \(ModelRegistry.standard.names.joined(separator: ", ")), "
          + "got CMN; did you mean CNN?"
      ),
      (
        ["--data_class=EMNST"],
        "expected MNIST, EMNIST, EMNISTLines, Folder, got EMNST; did you mean EMNIST?"
      ),
      (["--data_source=sythetic"], "got sythetic; did you mean synthetic?"),
      (["--optimizer=Adamm"], "expected Adam, AdamW, SGD, got Adamm; did you mean Adam?"),
      (["--max_epochs=five"], "'--max_epochs <max_epochs>': expected a whole number, got five"),
      (["--seed=-1"], "'--seed <seed>': expected a whole number of at least 0, got -1"),
      (
        ["--seed=99999999999999999999"],
        "expected a whole number from 0 to 18446744073709551615, got 99999999999999999999"
      ),
      (["--lr=fast"], "'--lr <lr>': expected a number, got fast"),
      (
        ["--limit_val_batches=some"],
        "expected a number of batches, such as 2, or a fraction of them from 0.0 to 1.0, got some"
      ),
      (["--model_class=ResNet", "--blocks=2x"], "--blocks: expected 1 to 100, got 2x"),
      (["--max_epochs=0"], "--max_epochs: expected at least 1, got 0"),
      (["--batch_size=0"], "--batch_size: expected 1 to 65536, got 0"),
      (["--batch_size=9223372036854775807"], "--batch_size: expected 1 to 65536, got 92233"),
      (["--num_workers=-1"], "--num_workers: expected 0 to 64, got -1"),
      (["--lr=-1"], "--lr: expected a number above 0, got -1.0"),
      (["--overfit_batches=0"], "--overfit_batches: expected at least one batch, got none"),
      (["--weight_decay=-1"], "--weight_decay: expected a number of at least 0, got -1.0"),
      (["--momentum=-1"], "--momentum: expected a number of at least 0, got -1.0"),
      (
        ["--optimizer=SGD", "--nesterov"], "--nesterov: expected a --momentum above 0, got none"
      ),
      (["--nesterov"], "--nesterov belongs to SGD, but --optimizer is Adam."),
      (
        ["--optimizer=AdamW", "--momentum=0.9"],
        "--momentum belongs to SGD, but --optimizer is AdamW."
      ),
      (["--one_cycle_max_lr=0"], "--one_cycle_max_lr: expected a number above 0, got 0.0"),
      (
        ["--one_cycle_total_steps=9"],
        "--one_cycle_total_steps: expected --one_cycle_max_lr too, got none"
      ),
      (
        ["--one_cycle_max_lr=1", "--one_cycle_total_steps=0"],
        "--one_cycle_total_steps: expected at least 1, got 0"
      ),
      (["--loss=mse_loss"], "expected cross_entropy, multi_margin_loss, ctc, got mse_loss"),
      (["--degrees=200"], "--degrees: expected 0.0 to 180.0, got 200.0"),
      (["--translate=2"], "--translate: expected 0.0 to 1.0, got 2.0"),
      (["--shear=90"], "--shear: expected 0.0 to 60.0, got 90.0"),
      (["--scale=2"], "expected two numbers from 0.1 to 10, the smaller one first, such as "),
      (["--scale=1e-20,1"], "such as 0.9,1.1, got 1e-20,1"),
      (
        ["--overfit_batches=2", "--shear=9"],
        "--overfit_batches: expected images without augmentation, got augmentation; leave out "
      ),
      (["--model_class=ResNet", "--skip=no"], "--skip: expected true or false, got no"),
      (["--limit_train_batches=1.5"], "limit_train_batches"),
      (["--model_class=CNN", "--conv_dim=0"], "--conv_dim: expected 1 to 4096, got 0"),
      (
        ["--model_class=CNN", "--conv_dim=10000000000"],
        "--conv_dim: expected 1 to 4096, got 10000000000"
      ),
      (["--model_class=ResNet", "--blocks=0"], "--blocks: expected 1 to 100, got 0"),
      (["--model_class=MLP", "--fc1=99999999"], "--fc1: expected 1 to 65536, got 99999999"),
      (["--model_class=CNN", "--conv_dim=many"], "--conv_dim: expected 1 to 4096, got many"),
      (
        ["--model_class=ResNet", "--norm=bach"],
        "--norm: expected batch, none, got bach; did you mean batch?"
      ),
      (["--pool"], "--pool belongs to ResNet, but --model_class is MLP."),
      (
        ["--conv-dim=32"],
        "--conv_dim belongs to CNN, LineCNNSimple, LineCNN, LineCNNLSTM, but --model_class is MLP."
      ),
    ] as [([String], String)])
  func badOptionsAreRefused(arguments: [String], text: String) throws {
    try withFolder { folder in
      let outcome = try Program(name: "lab", folder: folder).run(["train"] + arguments)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(text), "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
  }

  @Test(arguments: [
    ("LAB_THREADS", "many", "Error: LAB_THREADS: expected a number from 1 to 1024, got many\n"),
    ("LAB_THREADS", "0", "Error: LAB_THREADS: expected a number from 1 to 1024, got 0\n"),
    ("LAB_KERNELS", "sse9", "Error: LAB_KERNELS=sse9: there are no such kernels; "),
    ("LAB_BLAS", "mkl", "Error: LAB_BLAS=mkl: there are no such matrix products; expected own or "),
  ])
  func environmentVariablesAreChecked(name: String, value: String, text: String) throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let outcome = try lab.run(["train"], environment: [name: value])
      #expect(outcome.status == 1)
      #expect(outcome.errors.hasPrefix(text), "\(outcome.errors)")
    }
  }

  /// A run that ends before its first step cannot be resumed.
  @Test func aRunWithoutAStepLeavesNoFolder() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      let options = [
        "train", "--model_class=ResNet", "--channels=2", "--pool", "--data_source=synthetic",
        "--max_epochs=1", "--limit_train_batches=2", "--limit_val_batches=1",
        "--limit_test_batches=1",
      ]
      #expect(try lab.run(options).status == 0)
      let short = try lab.run(options + ["--one_cycle_max_lr=0.1", "--one_cycle_total_steps=1"])
      #expect(short.status == 1)
      #expect(short.errors.contains("Error: fit: expected a schedule of at least 2 steps"))
      let diverged = try lab.run(options + ["--optimizer=SGD", "--lr=1e38"])
      #expect(diverged.status == 1)
      #expect(diverged.errors.contains("Error: fit: expected a finite loss"))
      let runs = folder.appending(path: "output/logs/ResNet-MNIST-SYNTHETIC")
      let names = try FileManager.default.contentsOfDirectory(
        atPath: runs.path(percentEncoded: false))
      // A run with a step stays.
      #expect(names.sorted() == ["version_0", "version_1"])
      let metrics = try String(
        contentsOf: runs.appending(path: "version_1/metrics.csv"), encoding: .utf8)
      #expect(metrics.split(separator: "\n").count == 2)

      let first = runs.appending(path: "version_0").path(percentEncoded: false)
      let other = try lab.run(["train", "--resume", first, "--stride"])
      #expect(other.status == 1)
      #expect(
        other.errors.contains("expected --pool as when \(first) was started, got --stride; "),
        "\(other.errors)")
      #expect(try lab.run(["train", "--resume", first, "--pool"]).status == 0)
    }
  }

  @Test func aMissingCheckpointIsOneLine() throws {
    try withFolder { folder in
      let outcome = try Program(name: "lab", folder: folder).run(
        ["train", "--data_source=synthetic", "--load_checkpoint=nowhere.safetensors"])
      #expect(outcome.status == 1)
      let last = outcome.errors.split(separator: "\n").last ?? ""
      #expect(last.hasPrefix("Error: cannot read ") && last.contains("nowhere.safetensors: "))
    }
  }
}
