/// Why a GPU cannot be used, or no longer: one line that says what to do.
public struct GPUError: Error, CustomStringConvertible, Sendable, Equatable {
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}
