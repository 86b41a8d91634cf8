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
  package static func frameOutput() -> Bool { frame_standard_output() == 0 }

  /// Writes a frame to standard error. If nobody reads it any more, nothing happens.
  ///
  /// - Parameters:
  ///   - kind: The kind of frame, an ASCII character.
  ///   - text: Its contents.
  package static func sendFrame(_ kind: Unicode.Scalar, _ text: String) {
    _ = send_frames(CChar(UInt8(ascii: kind)), text, text.utf8.count)
  }
}
