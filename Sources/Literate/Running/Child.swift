import CPipes
import Foundation

/// A child process with pipes for its input and output.
///
/// Foundation's `Process` sometimes misses the end of a process when several run at once, and does not
/// report peak memory.
package final class Child {
  /// How a process ended.
  package enum Ending: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  package let process: pid_t
  /// The reading ends of the pipes for standard output and standard error.
  package var output: Int32 { outputEnd.number }
  package var errors: Int32 { errorsEnd.number }
  private let input: Pipe
  private let outputEnd: Descriptor
  private let errorsEnd: Descriptor
  /// The peak resident memory in bytes, known once the process has ended.
  package private(set) var peakMemory = 0
  package private(set) var ending: Ending?

  /// Starts a program in a process group of its own.
  ///
  /// - Throws: ``NotebookError`` if it cannot be started.
  package init(_ program: URL, _ arguments: [String], environment: [String: String]) throws {
    let (input, output, errors) = (try Pipe(), try Pipe(), try Pipe())
    // The reading end of the input stays open too, so that writing to an ended process raises no
    // SIGPIPE; the writing ends of the others are closed here.
    (self.input, outputEnd, errorsEnd) = (input, output.reading, errors.reading)
    process = try spawn(
      program.path(percentEncoded: false), arguments, environment: environment,
      streams: [input.reading.number, output.writing.number, errors.writing.number])
  }

  deinit {
    guard ending == nil else { return }
    // A process that nobody waits for stays in the system's table as a zombie.
    end()
    var status: Int32 = 0
    while waitpid(process, &status, 0) == -1, errno == EINTR {}
  }

  /// Resumes a program that waits for a line of input.
  package func resume() {
    var newline = UInt8(ascii: "\n")
    _ = write(input.writing.number, &newline, 1)
  }

  /// Kills the program and all processes that it has started.
  package func end() {
    kill(-process, SIGKILL)
  }

  /// Whether the program has ended; does not wait.
  package func hasEnded() -> Bool {
    if ending != nil { return true }
    var status: Int32 = 0
    var usage = rusage()
    guard wait4(process, &status, WNOHANG, &usage) == process else { return false }
    let signal = status & 0x7f
    ending = signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
    #if os(Linux)
      peakMemory = Int(usage.ru_maxrss) * 1024
    #else
      peakMemory = Int(usage.ru_maxrss)
    #endif
    return true
  }

  /// Reads what the program prints until it has ended.
  ///
  /// - Parameters:
  ///   - goesOn: Called repeatedly; the program is killed when it returns `false`.
  ///   - onBytes: Called with what was printed.
  package func followToEnd(while goesOn: () -> Bool, _ onBytes: ([UInt8], Page.Stream) -> Void) {
    let streams = [(output, Page.Stream.standardOutput), (errors, .standardError)]
    for (pipe, _) in streams { _ = fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK) }
    var pipes = streams.map { pollfd(fd: $0.0, events: Int16(POLLIN), revents: 0) }
    func read() -> Bool {
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let counts = streams.map { pipe, stream in
        let count = Foundation.read(pipe, &bytes, bytes.count)
        if count > 0 { onBytes(Array(bytes[..<count]), stream) }
        return count
      }
      return counts.contains { $0 > 0 }
    }
    while !hasEnded() {
      if !goesOn() { end() }
      _ = poll(&pipes, nfds_t(pipes.count), 20)
      _ = read()
      // A closed pipe is always ready.
      for index in pipes.indices where pipes[index].revents & Int16(POLLIN) == 0 {
        if pipes[index].revents & Int16(POLLHUP) != 0 { pipes[index].fd = -1 }
      }
    }
    // What it started may go on printing.
    for _ in 0..<1_000 where !read() { return }
  }

  /// A file descriptor, closed with its last owner.
  private final class Descriptor {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
  }

  /// A pipe, whose ends are not inherited by child processes.
  private struct Pipe {
    let reading: Descriptor
    let writing: Descriptor

    init() throws {
      var ends: [Int32] = [0, 0]
      // Marked from the beginning: another thread may start a program at any moment.
      guard create_private_pipe(&ends) == 0 else { throw Self.error }
      (reading, writing) = (try Self.descriptor(ends[0]), try Self.descriptor(ends[1]))
    }

    private static var error: NotebookError {
      NotebookError("cannot create a pipe: \(String(cString: strerror(errno)))")
    }

    /// The descriptor with a number above those of the standard streams, which become the child's.
    private static func descriptor(_ number: Int32) throws -> Descriptor {
      let first = Descriptor(number)
      let moved = fcntl(number, F_DUPFD_CLOEXEC, 3)
      guard moved >= 0 else { throw error }
      return withExtendedLifetime(first) { Descriptor(moved) }
    }
  }
}
