import CStandardOutput

/// Standard input, output and error of a program.
package enum StandardStreams {
  /// Prepares the streams; to be called before a program prints or opens anything.
  ///
  /// - A stream that is closed is replaced by one that cannot be used, so that no file that the
  ///   program opens gets what is printed.
  /// - Each line that is printed is written at once, also into a file or a pipe.
  /// - When the program ends and something that was printed could not be written, it prints one line
  ///   on standard error, and its exit status is 1.
  package static func prepare() {
    fill_standard_descriptors()
    writeLinesAtOnce()
    _ = check_output_at_exit()
  }

  /// From now on each line that is printed is written at once, so that none is lost in a crash.
  package static func writeLinesAtOnce() { write_lines_at_once() }

  /// From now on everything that is printed goes to standard error, in frames of kind `O`.
  ///
  /// - Returns: Whether that was possible.
  package static func frameOutput() -> Bool {
    output.pointee.is_framed = 1
    return redirect_standard_output(output) == 0
  }

  /// Writes a frame to standard error. If nobody reads it any more, nothing happens.
  ///
  /// - Parameters:
  ///   - kind: The kind of frame, an ASCII character.
  ///   - text: Its contents.
  package static func sendFrame(_ kind: Unicode.Scalar, _ text: String) {
    _ = send_frames(CChar(UInt8(ascii: kind)), text, text.utf8.count)
  }

  // MARK: Listening

  /// Called with the number of a stream, 1 for standard output and 2 for standard error, and with
  /// bytes that were written to it.
  package typealias Tap = @convention(c) (Int32, UnsafePointer<CChar>?, Int) -> Void

  /// From now on `tap` is called with everything that is printed on standard output, that C code
  /// writes to its `stderr`, and that is written with ``writeError(_:)``. What is written to the
  /// descriptors themselves is not noticed.
  ///
  /// It stays so until the program ends: other threads may be printing at any moment.
  ///
  /// - Parameter tap: The function; it must not print.
  package static func listen(_ tap: @escaping Tap) {
    guard !isListening else { return }
    isListening = true
    output.pointee.tap = tap
    errors.pointee.tap = tap
    if output.pointee.is_framed == 0 { _ = redirect_standard_output(output) }
    _ = redirect_standard_error(errors)
  }

  /// Writes bytes to standard error at once. An error is ignored: there is no way to report it.
  package static func writeError(_ bytes: some Sequence<UInt8>) {
    Array(bytes).withUnsafeBytes {
      _ = write_output(errors, $0.bindMemory(to: CChar.self).baseAddress, $0.count)
    }
  }

  /// Prints bytes on standard output.
  package static func printBytes(_ bytes: some Sequence<UInt8>) {
    Array(bytes).withUnsafeBytes {
      print_bytes($0.bindMemory(to: CChar.self).baseAddress, $0.count)
    }
  }

  /// The streams are used by the C library until the program ends.
  nonisolated(unsafe) private static let output = stream(1)
  nonisolated(unsafe) private static let errors = stream(2)
  /// Changed by ``listen(_:)`` alone, which is called on the main thread.
  nonisolated(unsafe) private static var isListening = false

  private static func stream(_ descriptor: Int32) -> UnsafeMutablePointer<output_stream> {
    let stream = UnsafeMutablePointer<output_stream>.allocate(capacity: 1)
    stream.initialize(to: output_stream(descriptor: descriptor, is_framed: 0, tap: nil))
    return stream
  }
}
