import Lab
import LabExperiments
import Testing

/// Lightning's `accelerator`, in words of this package.
struct AcceleratorTests {
  @Test(
    arguments: [
      (["--accelerator=cpu"], "0", nil), (["--accelerator=cpu", "--gpus=0"], "0", nil),
      (["--accelerator=gpu"], "1", nil), (["--accelerator=gpu", "--gpus=auto"], "auto", nil),
      (["--accelerator=auto"], "auto", nil), (["--accelerator=auto", "--gpus=0"], "0", nil),
      (["--accelerator=ddp"], nil, nil), (["--accelerator=ddp", "--devices=3"], nil, 3),
      (["--accelerator=ddp", "--gpus=2"], "1", 2),
      (["--accelerator=ddp_spawn", "--gpus=2"], "1", 2),
      (["--accelerator=ddp", "--gpus=1"], "1", nil),
      (["--accelerator=ddp_cpu", "--devices=2"], "0", 2), ([], nil, nil),
    ] as [([String], String?, Int?)])
  func namesStandForOptions(arguments: [String], gpus: String?, devices: Int?) throws {
    var experiment = try Experiment.parse(arguments)
    try experiment.resolveAccelerator()
    #expect(experiment.device.gpus.map { "\($0)" } == gpus)
    #expect(experiment.processes.devices == devices)
    #expect(experiment.processes.accelerator == nil)
  }

  @Test(arguments: [
    (
      ["--accelerator=cpu", "--gpus=1"],
      "--accelerator=cpu: expected --gpus=0, got --gpus=1; leave one of them out"
    ),
    (
      ["--accelerator=ddp_cpu", "--gpus=auto"],
      "--accelerator=ddp_cpu: expected --gpus=0, got --gpus=auto; leave one of them out"
    ),
    (
      ["--accelerator=gpu", "--gpus=0"],
      "--accelerator=gpu: expected --gpus=1, got --gpus=0; leave one of them out"
    ),
  ])
  func contradictionsAreRefused(arguments: [String], text: String) throws {
    var experiment = try Experiment.parse(arguments)
    let error = #expect(throws: TrainingError.self) { try experiment.resolveAccelerator() }
    #expect(error?.description == text)
  }

  @Test(arguments: [
    ("dp", "one process with several GPUs; here each GPU has a process of its own"),
    ("ddp2", "one process with several GPUs; here each GPU has a process of its own"),
    ("tpu", "expected cpu, gpu, auto, ddp, ddp_spawn, ddp_cpu, got tpu"),
    ("horovod", "expected cpu, gpu, auto, ddp, ddp_spawn, ddp_cpu, got horovod"),
  ])
  func othersAreRefused(name: String, text: String) {
    do {
      _ = try Experiment.parse(["--accelerator=\(name)"])
      Issue.record("\(name) was taken")
    } catch {
      let message = Experiment.message(for: error)
      #expect(message.contains(text) && !message.contains("\n"), "\(message)")
    }
  }
}
