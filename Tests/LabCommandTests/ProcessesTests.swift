#if MPI
  import Foundation
  import Spawning
  import Testing

  /// Several processes that `mpirun` starts, or the program that `LAB_TEST_MPIRUN` names.
  private enum MPIRun {
    static let name = ProcessInfo.processInfo.environment["LAB_TEST_MPIRUN"] ?? "mpirun"

    /// The program; nil if `PATH` has none.
    static let path: String? = {
      let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      let path = folders.map { "\($0)/\(name)" }.first {
        FileManager.default.isExecutableFile(atPath: $0)
      }
      if path == nil { print("SKIPPED: ProcessesTests. There is no \(name).") }
      return path
    }()

    /// The variables with which Open MPI lets root start more processes than there are processors.
    static let environment = [
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
    ]
  }

  @Suite(.serialized, .enabled(if: MPIRun.path != nil))
  struct ProcessesTests {
    private let options = [
      "train", "--data_source=synthetic", "--max_epochs=2", "--limit_train_batches=6",
      "--limit_val_batches=2", "--limit_test_batches=2", "--checkpoint_every_n_steps=4",
    ]
    private let models = [
      ["--model_class=MLP", "--augment", "--batch_size=100"],
      ["--model_class=CNN", "--conv_dim=4", "--fc_dim=8", "--optimizer=SGD", "--momentum=0.9"],
      ["--model_class=ResNet", "--channels=4", "--one_cycle_max_lr=0.01", "--optimizer=AdamW"],
    ]

    @Test(arguments: 0..<3)
    func anyNumberOfProcessesGivesTheSameBytes(model: Int) throws {
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        let one = folder.appending(path: "one")
        let alone = try train(lab, options + models[model] + ["--micro_shards=8"], into: one)
        #expect(alone.status == 0, "\(alone.errors)")
        for count in 1...4 {
          let several = folder.appending(path: "processes-\(count)")
          let outcome = try train(lab, options + models[model], into: several, processes: count)
          #expect(outcome.status == 0, "\(outcome.errors)")
          #expect(try runFiles(in: several) == runFiles(in: one), "\(count) processes")
          // The first process alone prints.
          #expect(
            lines(outcome.output, into: several) == lines(alone.output, into: one),
            "\(count) processes")
        }
      }
    }

    /// The processes are killed together, as when power fails, and one by one.
    @Test(arguments: 0..<3)
    func aRunThatIsKilledIsResumedByAnotherNumberOfProcesses(model: Int) throws {
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        let arguments = options + models[model]
        let whole = folder.appending(path: "whole")
        _ = try train(lab, ["train", "--data_source=synthetic", "--fast_dev_run"], into: whole)
        let start = ContinuousClock.now
        _ = try train(lab, arguments + ["--micro_shards=8"], into: whole)
        let seconds = start.duration(to: .now) / .seconds(1)
        let broken = folder.appending(path: "broken")
        var kills = 0
        for count in [2, 3, 4, 1, 2] {
          let hasStarted = try !runFiles(in: broken).isEmpty
          let moment = ContinuousClock.now + .seconds(Double.random(in: 0.2...2 * seconds))
          var isToKill = kills < 4
          let outcome = try train(
            lab, hasStarted ? ["train", "--resume"] : arguments, into: broken, processes: count
          ) {
            // In a run that has ended before there is nobody to kill.
            guard isToKill, .now >= moment,
              let victim = pids(in: broken)[Int.random(in: 0..<count)]
            else { return false }
            isToKill = false
            kill(victim, SIGKILL)
            return false
          }
          kills += 1
          #expect(pids(in: broken).isEmpty, "a process stays behind")
          if kills == 5 { #expect(outcome.status == 0, "\(outcome.errors)") }
        }
        #expect(try runFiles(in: broken) == runFiles(in: whole))
      }
    }

    @Test func aProcessThatIsAskedToEndEndsAll() throws {
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        let arguments = options + models[1] + ["--max_epochs=50"]
        let output = folder.appending(path: "output")
        var hasAsked = false
        let outcome = try train(lab, arguments, into: output, processes: 3) {
          guard !hasAsked, hasState(output), let last = pids(in: output)[2] else { return false }
          hasAsked = true
          kill(last, SIGTERM)
          return false
        }
        #expect(outcome.status != 0)
        #expect(
          outcome.errors.contains("Interrupted: stopped ")
            && outcome.errors.contains("To continue: lab train --resume="), "\(outcome.errors)")
        #expect(pids(in: output).isEmpty)
      }
    }

    @Test func aProcessThatHangsIsNamed() throws {
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        let arguments = options + models[1] + ["--max_epochs=50"]
        let output = folder.appending(path: "output")
        var stopped: pid_t?
        let outcome = try train(
          lab, arguments, into: output, processes: 3, environment: ["LAB_MPI_TIMEOUT": "2"]
        ) {
          guard stopped == nil, hasState(output), let second = pids(in: output)[1] else {
            return false
          }
          stopped = second
          kill(second, SIGSTOP)
          return false
        }
        // A launcher that has not ended it leaves it to us.
        if let stopped { kill(stopped, SIGCONT) }
        #expect(outcome.status != 0)
        #expect(
          outcome.errors.contains("Error: rank 1 on ")
            && outcome.errors.contains(
              " has not answered for 2 s; the state was saved. To continue: "),
          "\(outcome.errors)")
        let end = ContinuousClock.now + .seconds(5)
        while !pids(in: output).isEmpty, .now < end { usleep(50_000) }
        #expect(pids(in: output).isEmpty)
      }
    }

    @Test func theProgramStartsMPIItself() throws {
      guard MPIRun.name == "mpirun" else { return }
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        let one = folder.appending(path: "one")
        let several = folder.appending(path: "several")
        _ = try train(lab, options + models[0] + ["--micro_shards=6"], into: one)
        let outcome = try train(
          lab, options + models[0] + ["--micro_shards=6", "--devices=2", "--strategy=ddp"],
          into: several)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("2 processes: "))
        #expect(try runFiles(in: several) == runFiles(in: one))
      }
    }

    @Test func errorsAreSaidOnce() throws {
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        let output = folder.appending(path: "output")
        for (arguments, message) in [
          (
            ["--devices=3"],
            "Error: --devices=3 --num_nodes=1: expected 3 processes, got 2 from mpirun; leave the "
              + "options out, or give mpirun -np 3"
          ),
          (
            ["--micro_shards=1"],
            "Error: fit: expected at most 1 processes, one for each micro-shard of a batch, got 2; "
              + "raise --micro_shards"
          ),
          (["--max_epochs=0"], "Error: --max_epochs: expected at least 1, got 0"),
        ] {
          let outcome = try train(lab, options + models[0] + arguments, into: output, processes: 2)
          #expect(outcome.status != 0)
          let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
          #expect(errors.map(String.init) == [message], "\(outcome.errors)")
        }
      }
    }

    @Test func severalMachinesNeedMPIRun() throws {
      try withFolder { folder in
        let lab = Program(name: "lab", folder: folder)
        try lab.expectError(
          options + ["--devices=2", "--num_nodes=2"],
          "--devices=2 --num_nodes=2: expected 4 processes started by mpirun, got one; start them with "
            + "mpirun -np 4 --hostfile FILE lab train …, or with srun")
      }
    }

    // MARK: Helpers

    private func train(
      _ lab: Program, _ arguments: [String], into output: URL, processes count: Int? = nil,
      environment: [String: String] = [:], whileRunning: () -> Bool = { false }
    ) throws -> Spawned.Outcome {
      let folder = ["LAB_OUTPUT_DIR": output.path(percentEncoded: false), "LAB_THREADS": "1"]
      return try lab.run(
        arguments,
        environment: folder.merging(MPIRun.environment) { $1 }.merging(environment) { $1 },
        command: count.map { [MPIRun.path ?? "", "-np", "\($0)"] } ?? [], seconds: 200,
        interruptedWhen: whileRunning)
    }

    /// What a training prints, without its folder.
    private func lines(_ output: String, into folder: URL) -> String {
      output.replacing(folder.path(percentEncoded: false), with: "")
    }

    /// The running processes of a training by rank.
    private func pids(in output: URL) -> [Int: pid_t] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      var pids: [Int: pid_t] = [:]
      for pid in names.compactMap({ pid_t($0) }) {
        guard let bytes = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")),
          let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
          !status.contains(") Z ")
        else { continue }
        let variables = String(decoding: bytes, as: UTF8.self).split(separator: "\0")
        guard variables.contains("LAB_OUTPUT_DIR=\(output.path(percentEncoded: false))") else {
          continue
        }
        let rank = variables.lazy.compactMap { variable -> Int? in
          for name in ["OMPI_COMM_WORLD_RANK=", "PMI_RANK="] where variable.hasPrefix(name) {
            return Int(variable.dropFirst(name.count))
          }
          return nil
        }.first
        if let rank { pids[rank] = pid }
      }
      return pids
    }

    private func hasState(_ output: URL) -> Bool {
      let logs = output.appending(path: "logs").path(percentEncoded: false)
      return FileManager.default.enumerator(atPath: logs)?
        .contains { ($0 as? String)?.hasSuffix("training_state.safetensors") == true } ?? false
    }
  }
#endif
