import ArgumentParser
import Foundation
import Kernels
import LabData
import LabMPI
import LabProcesses
import LabTensors
import LabTraining
import StandardStreams

/// How several processes train together.
package struct ProcessOptions: ParsableArguments {
  /// The strategies of Lightning that this package has.
  package enum Strategy: String, CaseIterable {
    case ddp
  }

  /// What computes, by Lightning's names of version 1.2 and later.
  package enum Accelerator: String, CaseIterable {
    case processor = "cpu"
    case gpu
    case automatic = "auto"
    case processes = "ddp"
    case spawnedProcesses = "ddp_spawn"
    case processesOfProcessor = "ddp_cpu"
  }

  @Option(
    help: ArgumentHelp(
      "Lightning's name of what computes: cpu, gpu and auto are --gpus=0, 1 and auto; ddp, ddp_spawn and "
        + "ddp_cpu are several processes, as many as --devices or --gpus says."),
    transform: namedAccelerator)
  package var accelerator: Accelerator?

  @Option(
    help: ArgumentHelp(
      "The number of processes on each machine. (default: those of mpirun, or 1)",
      discussion: """
        With --num_nodes=1 the program starts mpirun itself. The batch size is that of all processes \
        together. Results have the same bytes for any number of processes.
        """),
    transform: number)
  package var devices: Int?

  @Option(
    name: .customLong("num_nodes"),
    help: "The number of machines; for more than 1 start the program with mpirun. (default: 1)",
    transform: number)
  package var nodes: Int?

  @Option(
    help: "How processes train together: ddp, data-parallel. (default: ddp)",
    transform: { try choice($0) })
  package var strategy: Strategy?

  @Option(
    name: .customLong("micro_shards"),
    help: ArgumentHelp(
      "Compute each batch in this many parts. (default: 8 with mpirun, else the whole batch)",
      discussion: """
        At most as many processes can train together. The parts are added up in a fixed order, so that \
        results do not depend on the number of processes, but a little on the number of parts.
        """),
    transform: number)
  package var microShards: Int?

  package init() {}

  package func validate() throws {
    for (name, value) in [
      ("devices", devices), ("num_nodes", nodes), ("micro_shards", microShards),
    ] {
      guard let value, !(1...4096).contains(value) else { continue }
      throw ValidationError("--\(name): expected a number from 1 to 4096, got \(value)")
    }
  }

  /// The number of processes that the options ask for; nil if they say nothing.
  private var size: Int? {
    devices == nil && nodes == nil ? nil : (devices ?? 1) * (nodes ?? 1)
  }

  /// Starts the program again by `mpirun` if the options ask for several processes on one machine, and
  /// does not return then.
  ///
  /// - Throws: ``TrainingError`` if that is not possible.
  package func launch() throws {
    guard Launch.current == nil, let size, size > 1 else { return }
    let asked = "--devices=\(devices ?? 1) --num_nodes=\(nodes ?? 1)"
    guard Launch.isPossible else {
      throw TrainingError(
        "\(asked): expected a program built with MPI, got one without; \(Launch.advice)")
    }
    guard (nodes ?? 1) == 1 else {
      throw TrainingError(
        "\(asked): expected \(size) processes started by mpirun, got one; start them with mpirun -np "
          + "\(size) --hostfile FILE lab train …, or with srun")
    }
    guard let program = Bundle.main.executablePath else { return }
    // Open MPI would bind each process to one core, where it would compute with one thread. It refuses to run
    // as root, who is the only user of many containers.
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0)
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 0)
    setenv("PRTE_MCA_hwloc_default_binding_policy", "none", 0)
    setenv("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe", 0)
    if getuid() == 0 {
      setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0)
      setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0)
    }
    let arguments = ["mpirun", "-np", "\(size)", program] + CommandLine.arguments.dropFirst()
    fflush(nil)
    replaceProgram(arguments)
    throw TrainingError(
      "\(asked): expected mpirun in PATH, found none; make set-up MPI=1 installs it")
  }

  /// Checks that there are as many processes as the options ask for.
  ///
  /// - Throws: ``TrainingError`` if there are more or fewer.
  package func check(_ processes: any Communicator) throws {
    guard let size, size != processes.size else { return }
    throw TrainingError(
      "--devices=\(devices ?? 1) --num_nodes=\(nodes ?? 1): expected \(size) processes, got "
        + "\(processes.size) from mpirun; leave the options out, or give mpirun -np \(size)")
  }

  /// The arguments of a command line without those that say how it is started.
  package static func withoutLaunch(_ arguments: [String]) -> [String] {
    var rest: [String] = []
    var isValue = false
    for argument in arguments {
      let names = ["--devices", "--num_nodes", "--strategy"]
      defer { isValue = names.contains(argument) }
      if isValue || names.contains(where: { argument == $0 || argument.hasPrefix("\($0)=") }) {
        continue
      }
      rest.append(argument)
    }
    return rest
  }
}

/// The accelerator of a name.
///
/// - Throws: A `ValidationError` that says what there is instead.
private func namedAccelerator(_ text: String) throws -> ProcessOptions.Accelerator {
  if ["dp", "ddp2"].contains(text) {
    throw ValidationError(
      "expected \(ProcessOptions.Accelerator.allCases.map(\.rawValue).joined(separator: ", ")), got "
        + "\(text), one process with several GPUs; here each GPU has a process of its own: "
        + "--accelerator=ddp --devices=2")
  }
  return try choice(text)
}

/// Runs `body` in each of the processes that `mpirun` has started; in one if there is no `mpirun`.
///
/// Only process 0 prints on standard output. If `body` throws in one of them, all end, and one says why.
///
/// - Parameter body: The program's work.
/// - Throws: What `body` throws, unless there are several processes: then the program ends here.
package func withProcesses(_ body: () throws -> Void) throws {
  let processes: any Communicator
  do {
    processes = try Launch.start()
  } catch {
    if Launch.current.map({ $0.rank == 0 }) ?? true {
      StandardError.writeLine("Error: \(error)")
    }
    exit(1)
  }
  guard Launch.library != nil else { return try body() }
  prepareProcesses(processes)
  do {
    try body()
    Launch.stop()
  } catch let code as ExitCode {
    // All processes were asked to end.
    Launch.stop()
    throw code
  } catch {
    fflush(nil)
    end(processes, error)
  }
}

/// Shares processors and GPUs among the processes of a machine, and silences all but the first process.
///
/// - Parameter processes: The processes that `mpirun` has started.
package func prepareProcesses(_ processes: any Communicator) {
  let local = processes.hosts.count { $0 == processes.hosts[processes.rank] }
  Device.preferredGPU = processes.localRank
  let online = ProcessInfo.processInfo.processorCount
  let bound = Threads.total
  let wanted = ProcessInfo.processInfo.environment["LAB_THREADS"] ?? ""
  if wanted.isEmpty { Threads.count = min(bound, max(1, online / local)) }
  if processes.rank > 0 {
    silenceStandardOutput()
  } else if wanted.isEmpty, bound * local < online {
    StandardError.writeLine(
      "Warning: mpirun has bound each process to \(bound) of \(online) processors; add --bind-to none"
    )
  }
}

/// Ends all processes because of an error, which one of them prints.
private func end(_ processes: any Communicator, _ error: any Error) -> Never {
  let missing = (error as? PeerFailure)?.rank
  let speaker = missing == 0 ? 1 : 0
  if processes.rank != speaker {
    // Most errors are the same in all processes; the first one prints it and ends all.
    Thread.sleep(forTimeInterval: error is PeerFailure ? 2.5 : 1)
  }
  let isOwn = processes.rank != speaker && !(error is PeerFailure)
  StandardError.writeLine(
    "Error: \(isOwn ? "\(processes.name(of: processes.rank)): " : "")\(error)")
  Launch.abort(1)
  exit(1)
}

/// Prints nothing from now on.
private func silenceStandardOutput() {
  fflush(nil)
  let descriptor = open("/dev/null", O_WRONLY)
  guard descriptor >= 0 else { return }
  dup2(descriptor, STDOUT_FILENO)
  close(descriptor)
}

/// Becomes another program, which `PATH` has; returns if there is none.
private func replaceProgram(_ arguments: [String]) {
  let copies = arguments.map { strdup($0) } + [nil]
  if let name = copies[0] { execvp(name, copies) }
  for copy in copies { free(copy) }
}
