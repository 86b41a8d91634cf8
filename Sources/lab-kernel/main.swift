import Foundation
import JupyterKernel

// The program that Jupyter starts: lab-kernel [--swift PATH] CONNECTION_FILE

func fail(_ error: any Error) -> Never {
  try? FileHandle.standardError.write(contentsOf: Data("lab-kernel: \(error)\n".utf8))
  exit(1)
}

var arguments = CommandLine.arguments.dropFirst()
var swift: String?
if arguments.first == "--swift" {
  swift = arguments.dropFirst().first
  arguments = arguments.dropFirst(2)
}
do {
  guard let path = arguments.first, arguments.count == 1 else {
    throw KernelError(
      "expected the connection file that Jupyter writes; `lab kernel install` lets Jupyter start this "
        + "program")
  }
  let file = try ConnectionFile(contentsOf: path)
  // Jupyter interrupts by a message. A Ctrl-C in its terminal is meant for Jupyter itself.
  for number in [SIGINT, SIGPIPE] { signal(number, SIG_IGN) }
  let queue = SendQueue()
  let kernel = Kernel(key: file.key) { queue.add($0, $1) }
  let sockets = try Sockets(file, queue)
  kernel.start(
    program: Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0]), swift: swift,
    parameters: ProcessInfo.processInfo.environment["LAB_KERNEL_PARAMETERS"] ?? "")
  sockets.serve(kernel)
  sockets.close()
} catch {
  fail(error)
}
