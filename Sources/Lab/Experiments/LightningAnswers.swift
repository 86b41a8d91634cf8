/// What to say about options of PyTorch Lightning's `Trainer` and of the course's program that this
/// package does not have, by their names: what there is instead.
package enum LightningAnswers {
  /// The answers by option, a sentence each.
  package static let all: [String: String] = {
    var answers: [String: String] = [:]
    for line in text.split(separator: "\n") {
      guard let end = line.firstRange(of: ": ") else { continue }
      for name in line[..<end.lowerBound].split(separator: ", ") {
        answers[String(name)] = String(line[end.upperBound...])
      }
    }
    return answers
  }()

  /// A line for the options that have the same answer.
  private static let text = """
    amp_backend, amp_level: there is one implementation; --precision chooses 32, tf32 or \
    bf16 on a GPU
    auto_select_gpus: the GPU with the most compute units is used; LAB_OPENCL_DEVICE names \
    another one
    automatic_optimization: a training loop of your own is a few lines with Tape and an \
    Optimizer, see the README
    benchmark: kernels are compiled for each shape, so there is nothing to choose
    callbacks: the library's Trainer has observers; early stopping is --patience
    checkpoint_callback, enable_checkpointing: the weights of the best and the last epoch \
    are always saved; --fast_dev_run saves nothing
    detect_anomaly, terminate_on_nan: losses and weights that are not finite always end \
    training with an error
    distributed_backend: --devices=4 trains with four processes, as --strategy=ddp
    enable_model_summary: --weights_summary=none leaves the table of the model's parts out
    enable_pl_optimizer: there is one kind of optimizer, so there is nothing to choose
    flush_logs_every_n_steps: logs are written whenever losses are read, every 100 steps at \
    the latest
    gradient_accumulation: --accumulate_grad_batches=4 makes a step of the optimizer after \
    four batches
    inference_mode: validation and test never record gradients
    limit_predict_batches: lab predict and lab read compute the files that they are given
    log_gpu_memory: LAB_OPENCL_PROFILE=1 prints the time of each GPU kernel; memory is not \
    logged
    logger: each run has a metrics.csv and a TensorBoard file: tensorboard --logdir \
    output/logs
    move_metrics_to_cpu: metrics stay on the device and are read together, every 100 steps \
    at the latest
    multiple_trainloader_mode: there is one training set
    num_processes: --devices=4 trains with four processes
    plugins: --devices, --num_nodes and --precision choose what Lightning's plugins do
    prepare_data_per_node: each machine prepares its data when it has none
    process_position: there is one progress bar
    reload_dataloaders_every_epoch, reload_dataloaders_every_n_epochs: --fresh_lines trains \
    on new lines in each epoch
    replace_sampler_ddp: batches are always shared among processes so that results have the \
    same bytes
    sync_batchnorm: batch norm always has the statistics of the whole batch, with several \
    processes too
    tpu_cores: there are no TPUs here; --gpus=1 computes on a GPU
    ipus: there are no IPUs here; --gpus=1 computes on a GPU
    truncated_bptt_steps: lines are short enough to compute their gradients as a whole
    wandb: each run has a TensorBoard file: tensorboard --logdir output/logs
    weights_save_path: --default_root_dir names the folder for output
    resume_from_checkpoint: --resume=FOLDER continues a run where it stopped, \
    --load_checkpoint=FILE starts from its weights
    """

  /// The answer to the first such option among arguments; nil if there is none.
  ///
  /// - Parameter arguments: Options in the course's spelling, with underscores.
  package static func answer(to arguments: [String]) -> String? {
    for argument in arguments where argument.hasPrefix("--") && argument.count > 2 {
      let name = argument.dropFirst(2).prefix { $0 != "=" }
      if let answer = all[String(name)] { return "--\(name): \(answer)" }
    }
    return nil
  }
}
