import Foundation
import Lab
import LabExperiments
import LabMPI
import LabProcesses
import Literate

/// Starts MPI if `mpirun` has started the notebook's program. All processes run the whole notebook and
/// train together; the first one alone prints, and writes figures into the usual folder. Several
/// processes neither store results nor use stored ones.
///
/// - Returns: A folder for the figures of the other processes, which is removed at the end; nil for the
///   usual one.
@MainActor
func startProcesses() -> URL? {
  guard Launch.current != nil else { return nil }
  let processes = exitOnError { try Launch.start() }
  guard Launch.library != nil else { return nil }
  prepareProcesses(processes)
  // One process would wait for others that have a stored result.
  if processes.size > 1 { setenv("LITERATE_CACHE", "", 1) }
  let isFirst = processes.rank == 0
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "lab-\(ProcessInfo.processInfo.processIdentifier)-\(processes.rank)",
    directoryHint: .isDirectory)
  unusedFigures = isFirst ? nil : folder
  atexit {
    MainActor.assumeIsolated {
      if let unusedFigures { try? FileManager.default.removeItem(at: unusedFigures) }
      // Others would wait for a process that has ended because of an error.
      if notebookHasFailed { Launch.abort(1) } else { Launch.stop() }
    }
  }
  return isFirst ? nil : folder
}

/// The folder with the figures of a process that is not the first one.
@MainActor private var unusedFigures: URL?
