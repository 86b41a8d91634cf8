import Foundation
import LabProcesses

/// How `mpirun`, or another launcher of MPI, has started this program.
package struct Launch: Equatable, Sendable {
  /// The number of this process.
  package let rank: Int
  /// The number of processes; nil if the launcher tells it to the library alone.
  package let size: Int?

  /// Nil if the program was started by itself.
  ///
  /// - Parameter environment: The variables of the program.
  package init?(_ environment: [String: String]) {
    // Open MPI; MPICH, Intel MPI and `srun --mpi=pmi2`; MVAPICH.
    let names = [
      ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"),
      ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ]
    for (rank, size) in names {
      guard let rank = environment[rank].flatMap({ Int($0) }),
        let size = environment[size].flatMap({ Int($0) }), (0..<max(1, size)).contains(rank)
      else { continue }
      (self.rank, self.size) = (rank, size)
      return
    }
    // `srun --mpi=pmix`.
    guard let rank = environment["PMIX_RANK"].flatMap({ Int($0) }) else { return nil }
    (self.rank, size) = (rank, environment["SLURM_NTASKS"].flatMap { Int($0) })
  }

  /// How this program was started.
  package static let current = Launch(ProcessInfo.processInfo.environment)

  /// Whether this program was built with the trait MPI.
  package static var isPossible: Bool {
    #if MPI
      true
    #else
      false
    #endif
  }

  /// How to build the program so that ``isPossible``.
  package static let advice =
    "build it with MPI: make set-up MPI=1, then LAB_MPI=1 swift build -c release"

  /// The variable with the number of seconds that a process may be silent.
  package static let timeoutVariable = "LAB_MPI_TIMEOUT"

  /// Starts MPI if the program was started for it, and makes its processes ``Processes/current``.
  ///
  /// - Returns: The processes.
  /// - Throws: ``PeerFailure`` if MPI cannot be started, or the program was built without it.
  @discardableResult
  package static func start() throws(PeerFailure) -> any Communicator {
    guard let launch = current, Processes.current is SingleProcess else { return Processes.current }
    #if MPI
      let communicator = try MPICommunicator(timeout: try timeout())
      Processes.current = communicator
      return communicator
    #else
      if launch.size == 1 { return Processes.current }
      throw PeerFailure(
        "mpirun has started \(launch.size.map { "\($0)" } ?? "several") processes, but this program was "
          + "built without MPI; \(advice)")
    #endif
  }

  /// How long a process may be silent.
  static func timeout() throws(PeerFailure) -> Duration {
    let text = ProcessInfo.processInfo.environment[timeoutVariable] ?? ""
    if text.isEmpty { return .seconds(7) }
    guard let seconds = Int(text), (2...3600).contains(seconds) else {
      throw PeerFailure("\(timeoutVariable): expected seconds from 2 to 3600, got \(text)")
    }
    return .seconds(seconds)
  }

  /// Ends MPI when all processes have come here.
  package static func stop() {
    #if MPI
      (Processes.current as? MPICommunicator)?.stop()
    #endif
    Processes.current = SingleProcess.shared
  }

  /// Ends all processes at once.
  package static func abort(_ status: Int32) {
    #if MPI
      (Processes.current as? MPICommunicator)?.abort(status: status)
    #endif
  }

  /// The library of MPI; nil if it is not in use.
  package static var library: String? {
    #if MPI
      (Processes.current as? MPICommunicator)?.library
    #else
      nil
    #endif
  }
}
