import Foundation
import Kernels
import LabTraining

/// Ends the program with one line if `LAB_KERNELS` or `LAB_THREADS` asks for what cannot be had.
public func checkEnvironment() {
  exitOnError {
    try KernelSet.checkRequest()
    if let threads = ProcessInfo.processInfo.environment["LAB_THREADS"], !threads.isEmpty,
      Int(threads).map({ (1...1024).contains($0) }) != true
    {
      throw TrainingError("LAB_THREADS: expected a number from 1 to 1024, got \(threads)")
    }
  }
}
