import Foundation
import Lab
import LabExperiments
import Testing

struct LightningOptionsTests {
  /// The arguments of `Trainer` in PyTorch Lightning 1.2, the course's version, and later ones that
  /// people know; `wandb` is the course's own.
  static let names = """
    logger checkpoint_callback callbacks default_root_dir gradient_clip_val process_position num_nodes \
    num_processes gpus auto_select_gpus tpu_cores log_gpu_memory progress_bar_refresh_rate overfit_batches \
    track_grad_norm check_val_every_n_epoch fast_dev_run accumulate_grad_batches max_epochs min_epochs \
    max_steps min_steps limit_train_batches limit_val_batches limit_test_batches limit_predict_batches \
    val_check_interval flush_logs_every_n_steps log_every_n_steps accelerator sync_batchnorm precision \
    weights_summary weights_save_path num_sanity_val_steps truncated_bptt_steps resume_from_checkpoint \
    profiler benchmark deterministic reload_dataloaders_every_epoch auto_lr_find replace_sampler_ddp \
    terminate_on_nan auto_scale_batch_size prepare_data_per_node plugins amp_backend amp_level \
    distributed_backend automatic_optimization move_metrics_to_cpu enable_pl_optimizer \
    multiple_trainloader_mode stochastic_weight_avg max_time gradient_clip_algorithm devices strategy ipus \
    enable_progress_bar enable_checkpointing enable_model_summary detect_anomaly inference_mode wandb
    """.split(separator: " ").map(String.init)

  @Test(arguments: names) func eachOptionIsTakenOrAnswered(name: String) throws {
    let help = Experiment.helpMessage(columns: 400)
    let isTaken = help.contains(try Regex("--\(name)[ /\\n\\]]"))
    let answer = LightningAnswers.answer(to: ["train", "--\(name)=1"])
    #expect(isTaken != (answer != nil), "\(answer ?? "no answer")")
  }

  /// `#filePath` is in the package.
  @Test(arguments: ["README.md", "README.ko.md"]) func theTablesNameAll(file: String) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: package.appending(path: file), encoding: .utf8)
    let missing = Self.names.filter { !text.contains("`--\($0)`") && !text.contains("`--\($0)=") }
    #expect(missing == [])
  }

  @Test func answersAreOneLineAndNameWhatThereIs() {
    let help = Experiment.helpMessage(columns: 400)
    for (name, answer) in LightningAnswers.all {
      #expect(!answer.contains("\n") && !answer.hasSuffix("."), "\(name)")
      for match in answer.matches(of: /--([a-z_]+)/) where answer.contains("lab ") == false {
        #expect(help.contains("--\(match.1)") || match.1 == "logdir", "\(name): \(match.1)")
      }
    }
    #expect(LightningAnswers.answer(to: ["train", "--max_epochs=1", "--fc1", "--", "-x"]) == nil)
  }

  @Test func optionsSetUpTheTrainer() throws {
    let options = try TrainerOptions.parse([
      "--gradient_clip_val=0.5", "--gradient_clip_algorithm=value", "--accumulate_grad_batches=4",
      "--max_steps=7", "--min_epochs=2", "--min_steps=3", "--max_time=01:02:03:04",
      "--check_val_every_n_epoch=2", "--num_sanity_val_steps=-1", "--patience=3",
      "--ema_decay=0.99", "--val_check_interval=0.25", "--monitor=val_acc", "--track_grad_norm=inf",
      "--weights_summary=None", "--progress_bar_refresh_rate=0",
      "--deterministic=True",
    ])
    let trainer = Trainer()
    options.apply(to: trainer)
    #expect(trainer.gradientClipping == .value(0.5) && trainer.accumulateBatches == 4)
    #expect(trainer.maxSteps == 7 && trainer.minEpochs == 2 && trainer.minSteps == 3)
    #expect(trainer.maxTime == .seconds(93_784))
    #expect(trainer.averaging == .exponential(decay: 0.99))
    #expect(trainer.validationInterval == .fraction(0.25) && trainer.monitor == .valAccuracy)
    #expect(trainer.gradientNorm == .infinity)
    #expect(
      options.hyperparameters.filter { ["monitor", "val_check_interval"].contains($0.key) }
        == ["monitor": "val_acc", "val_check_interval": "0.25"])
    #expect(trainer.validateEveryEpochs == 2 && trainer.sanityValBatches == -1)
    #expect(trainer.patience == 3 && !trainer.showsModelSummary && !trainer.showsProgress)
    for (arguments, averaging) in [
      (["--stochastic_weight_avg"], .stochastic()),
      (["--stochastic_weight_avg=True", "--swa_lr=0.05"], .stochastic(learningRate: 0.05)),
      (["--stochastic_weight_avg=false", "--ema_decay=0.9"], .exponential(decay: 0.9)),
    ] as [([String], WeightAveraging)] {
      let trainer = Trainer()
      try TrainerOptions.parse(arguments).apply(to: trainer)
      #expect(trainer.averaging == averaging)
    }
    for (arguments, search) in [
      (["--auto_scale_batch_size"], .powers), (["--auto_scale_batch_size=True"], .powers),
      (["--auto_scale_batch_size=binsearch"], .binary),
      (["--auto_scale_batch_size=binsearch", "--patience=2"], .binary),
      (["--auto_scale_batch_size", "--patience=2"], .powers),
      (["--auto_scale_batch_size=False"], nil), ([], nil),
    ] as [([String], BatchSizeSearch?)] {
      #expect(try TrainerOptions.parse(arguments).batchSizeSearch == search)
    }
    // 0 is no limit, as in Lightning, and options without a value are true.
    let others = try TrainerOptions.parse([
      "--gradient_clip_val=0", "--enable_progress_bar", "--deterministic", "--track_grad_norm=-1",
    ])
    let other = Trainer()
    others.apply(to: other)
    #expect(other.gradientNorm == nil && other.validationInterval == .all)
    #expect(other.monitor == .valLoss && other.averaging == nil)
    #expect(other.gradientClipping == nil && other.showsProgress && other.patience == 10)
    for arguments in [
      ["--enable_progress_bar=False"], ["--enable_progress_bar=False", "--deterministic"],
      ["--deterministic", "--enable_progress_bar", "False", "--patience=2"],
    ] {
      #expect(try TrainerOptions.parse(arguments).progressIsHidden)
    }
    #expect(!other.showsLayers && other.showsModelSummary && other.profiler == nil)
    try TrainerOptions.parse(["--weights_summary=full", "--profiler=simple"]).apply(to: other)
    #expect(other.showsLayers && other.showsModelSummary && other.profiler != nil)
  }

  @Test(arguments: [
    ("--gradient_clip_val=-1", "--gradient_clip_val: expected a number of at least 0, got -1.0"),
    (
      "--gradient_clip_algorithm=norm",
      "--gradient_clip_algorithm: expected --gradient_clip_val too, got none"
    ),
    ("--accumulate_grad_batches=0", "--accumulate_grad_batches: expected at least 1, got 0"),
    (
      "--val_check_interval=0",
      "--val_check_interval: expected at least 1 batch, or a fraction above 0 and up to 1.0, got 0"
    ),
    ("--val_check_interval=2.5", "expected a number of batches, such as 2, or a fraction of them"),
    (
      "--monitor=loss",
      "--monitor: expected a metric of validation or training, such as val_loss, val_acc or train_loss"
    ),
    (
      "--track_grad_norm=0",
      "--track_grad_norm: expected a number above 0, such as 2, or inf, got 0.0"
    ),
    (
      "--auto_scale_batch_size=fast",
      "--auto_scale_batch_size: expected power or binsearch, got fast"
    ),
    ("--swa_lr=0.1", "--swa_lr: expected --stochastic_weight_avg too, got none"),
    (
      "--stochastic_weight_avg --ema_decay=0.9",
      "--stochastic_weight_avg: expected one average, got --ema_decay too; leave one out"
    ),
    ("--stochastic_weight_avg --swa_lr=0", "--swa_lr: expected a number above 0, got 0.0"),
    ("--ema_decay=1", "--ema_decay: expected a number between 0 and 1, such as 0.999, got 1.0"),
    ("--max_steps=0", "--max_steps: expected at least 1, got 0"),
    ("--num_sanity_val_steps=-2", "--num_sanity_val_steps: expected at least -1, got -2"),
    ("--max_time=12", "expected days:hours:minutes:seconds, such as 00:01:30:00, got 12"),
    (
      "--max_time=00:00:61:00",
      "expected days:hours:minutes:seconds, such as 00:01:30:00, got 00:00:61:00"
    ),
    ("--max_time=00:00:00:00", "--max_time: expected more than 0 seconds"),
    ("--deterministic=false", "--deterministic: expected true, got false"),
    ("--deterministic=perhaps", "--deterministic: expected true or false, got perhaps"),
    ("--enable_progress_bar=1", "--enable_progress_bar: expected true or false, got 1"),
    ("--weights_summary=all", "expected full, top, none, got all"),
    ("--profiler=timer", "expected simple, got timer"),
    (
      "--profiler=pytorch",
      "expected simple, got pytorch; simple has times by operation and layer, and trace.json shows"
    ),
    ("--profiler=advanced", "expected simple, got advanced; simple has times by operation"),
  ])
  func badOptionsAreRefused(option: String, text: String) {
    do {
      _ = try TrainerOptions.parse(option.split(separator: " ").map(String.init))
      Issue.record("\(option) was taken")
    } catch {
      let message = TrainerOptions.message(for: error)
      #expect(message.contains(text), "\(message)")
    }
  }
}

extension TrainerOptions {
  fileprivate var progressIsHidden: Bool {
    let trainer = Trainer()
    apply(to: trainer)
    return !trainer.showsProgress
  }
}
