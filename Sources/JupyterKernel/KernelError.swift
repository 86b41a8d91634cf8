/// An error that ends the kernel, refuses a message or stops an installation, in one line.
package struct KernelError: Error, Equatable, CustomStringConvertible {
  /// What was expected, what was found, and what to do.
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}
