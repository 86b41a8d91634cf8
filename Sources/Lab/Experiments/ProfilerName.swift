import ArgumentParser

/// Which profiler measures a training, by Lightning's names.
package enum ProfilerName: String, CaseIterable {
  case simple

  /// - Parameter text: The text on the command line.
  /// - Throws: A `ValidationError` that says what there is instead; the argument parser adds the
  ///   option's name.
  init(option text: String) throws {
    switch text.lowercased() {
    case Self.simple.rawValue: self = .simple
    case "advanced", "pytorch":
      throw ValidationError(
        "expected simple, got \(text); simple has times by operation and layer, and trace.json "
          + "shows each of them")
    default: throw ValidationError("expected simple, got \(text)")
    }
  }
}
