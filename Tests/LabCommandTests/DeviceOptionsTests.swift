import Foundation
import Lab
import Testing

/// `--gpus` and `--precision` on machines without a GPU.
@Suite struct DeviceOptionsTests {
  private let options = [
    "train", "--model_class=MLP", "--data_class=MNIST", "--data_source=synthetic", "--max_epochs=1",
    "--limit_train_batches=3", "--limit_val_batches=1", "--limit_test_batches=1", "--num_workers=1",
    "--fc1=16",
  ]

  /// Runs `body` with `lab`, and the variables with which it finds no OpenCL driver.
  private func withoutDriver(_ body: (Program, [String: String], URL) throws -> Void) throws {
    try withFolder { folder in
      let drivers = folder.appending(path: "no-drivers", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: drivers, withIntermediateDirectories: true)
      let variables = [
        "OCL_ICD_VENDORS": drivers.path(percentEncoded: false), "LAB_OPENCL_DEVICE": "",
      ]
      try body(Program(name: "lab", folder: folder), variables, folder)
    }
  }

  @Test(arguments: [
    ("--gpus=x", "expected 1, 0 or auto, got x"), ("--gpus=-2", "expected 1, 0 or auto, got -2"),
    ("--gpus=0,x", "expected 1, 0 or auto, got 0,x"), ("--gpus=1,-1", "got 1,-1"),
    ("--gpus=", "Missing value for '--gpus <gpus>'"),
    ("--precision=16", "expected 32, tf32, bf16, got 16"),
  ])
  func valuesThatAreNotAllowedAreRefused(argument: String, message: String) throws {
    try withFolder { folder in
      let outcome = try Program(name: "lab", folder: folder).run(options + [argument])
      #expect(outcome.status == 64 && outcome.output.isEmpty)
      #expect(
        outcome.errors.split(separator: "\n").first?.contains(message) == true, "\(outcome.errors)")
    }
  }

  @Test func theProcessorComputesWith32BitFloats() throws {
    try withFolder { folder in
      let lab = Program(name: "lab", folder: folder)
      for gpus in [[], ["--gpus=0"]] {
        try lab.expectError(
          options + ["--precision=bf16"] + gpus,
          "Error: --precision=bf16: expected a GPU, got the processor, which computes with 32-bit "
            + "floats; add --gpus=1, or leave --precision out\n")
      }
      let plain = try lab.run(options + ["--fast_dev_run"])
      let same = try lab.run(options + ["--fast_dev_run", "--precision=32", "--gpus=0"])
      #expect(plain.status == 0 && same.output == plain.output)
    }
  }

  #if os(Linux)
    @Test(arguments: [["--gpus=1"], ["--gpus", "-1"], ["--gpus=2"], ["--gpus=0,1"], ["--gpus=0,"]])
    func withoutADriverTheErrorSaysWhatToDo(arguments: [String]) throws {
      try withoutDriver { lab, variables, folder in
        for command in [
          options, ["predict", "--load_checkpoint=weights", "a.png"],
          ["read", "--load_checkpoint=weights", "a.png"],
        ] {
          let outcome = try lab.run(command + arguments, environment: variables)
          #expect(outcome.status == 1 && outcome.output.isEmpty)
          let value = arguments.joined(separator: "=")
          #expect(
            outcome.errors.hasPrefix("Error: \(value): no GPU can be used: ")
              && outcome.errors.hasSuffix("to compute on the processor: --gpus=auto or --gpus=0\n")
              && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "output").path()))
      }
    }

    @Test func aNotebookWithoutADriverEndsWithThatError() throws {
      try withoutDriver { _, variables, folder in
        let outcome = try Program(name: "01-look-at-emnist", folder: folder).run(
          ["--quick", "--data_source=synthetic", "--gpus=1"], environment: variables)
        #expect(outcome.status == 1)
        #expect(
          outcome.errors.hasPrefix("Error: --gpus=1: no GPU can be used: "), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
    }

    @Test func aDeviceThatIsNotThereIsRefused() throws {
      try withoutDriver { lab, variables, _ in
        let named = variables.merging(["LAB_OPENCL_DEVICE": "no such device"]) { $1 }
        let outcome = try lab.run(options + ["--gpus=1"], environment: named)
        #expect(outcome.status == 1)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(
          outcome.errors.contains("got no such device; no OpenCL driver was found")
            || outcome.errors.contains("the OpenCL loader"), "\(outcome.errors)")
      }
    }

    @Test func withAutoTheProcessorTrains() throws {
      try withoutDriver { lab, variables, folder in
        let plain = try lab.run(options, environment: variables)
        let outcome = try lab.run(
          options + ["--gpus=auto", "--precision=bf16"], environment: variables)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("Warning: no GPU can be used: "))
        #expect(outcome.errors.contains("; the processor is used\n"))
        #expect(outcome.output.contains("\nGPU available: False, used: False\n"))
        #expect(
          outcome.output.replacing("GPU available: False, used: False\n", with: "")
            == plain.output.replacing("version_0", with: "version_1"))
        let run = folder.appending(path: "output/logs/MLP-MNIST-SYNTHETIC/version_1")
        let record = try RunRecord(contentsOf: run.appending(path: "run.json"))
        #expect(record.devices == [DeviceUse(device: "cpu", fromStep: 0)])

        // The run's options hold for the rest of it, unless they are given again.
        let path = run.path(percentEncoded: false)
        let again = try lab.run(["train", "--resume", path, "--gpus=1"], environment: variables)
        #expect(again.status == 1 && again.errors.contains("--gpus=1: no GPU can be used: "))
        let rest = try lab.run(
          ["train", "--resume", path, "--gpus=0", "--max_epochs=2"], environment: variables)
        #expect(rest.status == 0 && !rest.output.contains("GPU"), "\(rest.errors)")
        #expect(!rest.errors.contains("Warning"), "\(rest.errors)")
      }
    }
  #endif
}
