import Foundation

/// Gives a reader many damaged files.
///
/// ```swift
/// let fuzzer = try Fuzzer("idx")
/// try fuzzer.run(seeds) { file in _ = try IDX(mapping: file, rank: 3) }
/// ```
///
/// The file that is being read is `lab-fuzz-NAME-…/input` in the folder for temporary files. If a
/// reader traps, it is still there afterwards.
package struct Fuzzer {
  /// What came of all the files.
  package struct Outcome {
    /// How many were read without complaint.
    package var accepted = 0
    /// How many were refused.
    package var refused = 0
    /// What is wrong with the way in which some were refused.
    package var complaints: [String] = []
  }

  private let folder: URL
  private let name: String

  /// - Parameter name: The reader's name.
  package init(_ name: String) {
    self.name = name
    folder = FileManager.default.temporaryDirectory.appending(
      path: "lab-fuzz-\(name)-\(UUID())", directoryHint: .isDirectory)
  }

  /// How many files a reader gets: `LAB_FUZZ`, or a few.
  private static var count: Int {
    ProcessInfo.processInfo.environment["LAB_FUZZ"].flatMap(Int.init) ?? 400
  }

  /// Reads damaged files until there were as many as `LAB_FUZZ` says, or twenty minutes are over.
  ///
  /// - Parameters:
  ///   - seeds: Whole files.
  ///   - repair: Puts right what would keep damage from being seen, such as sums.
  ///   - read: Reads a file; what it writes beside the file it must remove again, if it returns.
  package func run(
    _ seeds: [[UInt8]], repair: (inout [UInt8], inout Mutator) -> Void = { _, _ in },
    read: (URL) throws -> Void
  ) throws -> Outcome {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: "input")
    var outcome = Outcome()
    let end = ContinuousClock.now + .seconds(1200)
    for index in 0..<Self.count where ContinuousClock.now < end {
      var mutator = Mutator(seed: UInt64(index))
      var bytes = mutator.damaged(seeds[index % seeds.count], others: seeds)
      repair(&bytes, &mutator)
      try Data(bytes).write(to: file)
      do {
        try read(file)
        outcome.accepted += 1
      } catch {
        outcome.refused += 1
        let text = "\(error)"
        if text.isEmpty || text.contains(where: \.isNewline) || text.utf8.count > 600 {
          outcome.complaints.append("\(name) \(index): not a line: \(text.prefix(600))")
        }
      }
      let left = try FileManager.default.contentsOfDirectory(
        atPath: folder.path(percentEncoded: false))
      if left != ["input"] {
        outcome.complaints.append("\(name) \(index): left \(left)")
        try FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      }
    }
    try FileManager.default.removeItem(at: folder)
    if ProcessInfo.processInfo.environment["LAB_FUZZ"] != nil {
      print(
        "fuzzed \(name): \(outcome.refused) refused, \(outcome.accepted) accepted, "
          + "largest memory \(largestMemory >> 20) MB")
    }
    return outcome
  }

  /// The most memory that the process has had, in bytes.
  private var largestMemory: Int {
    // Zero asks about this process; the constant's type differs from system to system.
    var usage = rusage()
    getrusage(0, &usage)
    #if canImport(Darwin)
      return Int(usage.ru_maxrss)
    #else
      return Int(usage.ru_maxrss) << 10
    #endif
  }
}
