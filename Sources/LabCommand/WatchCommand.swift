import ArgumentParser
import Foundation
import Lab
import Literate
import NotebookServer
import Synchronization

extension NotebooksCommand {
  /// `lab notebooks watch`
  struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a notebook in the browser while it is edited and run.",
      discussion: """
        When a source is saved, the notebook is built and run again; results of cached(…) are not \
        computed again. The page is filled while it runs, compile errors stand at their cells, and \
        cells can be run one by one. It is served to this machine alone. Ctrl-C ends it.
        """)

    @Argument(help: "A notebook's name, or its beginning.")
    var name: String

    @OptionGroup var parameters: NotebookParameters
    @OptionGroup var limits: NotebookLimits
    @OptionGroup var results: NotebookResults

    @Flag(help: "Wait before each cell, for Next cell in the browser.")
    var step = false

    @Flag(name: .customLong("no_browser"), help: "Do not open the page in the browser.")
    var noBrowser = false

    @Option(help: "The port. (default: one that is free)", transform: number)
    var port: UInt16 = 0

    @Option(
      name: .customLong("idle_minutes"),
      help: "End after this time without a browser; 0 never ends. (default: 30)",
      transform: number)
    var idleMinutes = 30.0

    func validate() throws {
      guard idleMinutes >= 0 else {
        throw ValidationError("--idle_minutes: expected at least 0, got \(idleMinutes)")
      }
    }

    func run() throws {
      // Only this command waits for others; training must not move to another thread's small stack.
      let result = Mutex<Result<Void, any Error>?>(nil)
      let hasEnded = DispatchSemaphore(value: 0)
      let watch = self
      Task.detached {
        do {
          try await watch.serve()
          result.withLock { $0 = .success(()) }
        } catch {
          result.withLock { $0 = .failure(error) }
        }
        hasEnded.signal()
      }
      hasEnded.wait()
      try result.withLock { $0 }?.get()
    }

    private func serve() async throws {
      let notebook = try NotebooksCommand.folders().notebook(name)
      var options = limits.options(parameters)
      results.set(&options)
      // Its flag may be read by any thread.
      nonisolated(unsafe) let interruption = Interruption()
      let live = try LiveNotebook(notebook, options, stepping: step) { line in
        StandardError.writeLine(line)
      }
      let server = try await NotebookServer(live, port: port)
      live.start()
      print("\(notebook.name): \(server.address)\nCtrl-C ends it.")
      fflush(nil)
      if !noBrowser { open(server.address) }
      await server.serve(
        idleSeconds: idleMinutes == 0 ? nil : idleMinutes * 60,
        while: { !interruption.hasOccurred })
      await server.close()
      print("Page: \(notebook.folder.appending(path: "index.html").relativePath)")
    }

    /// Opens an address in the browser, if there is one.
    private func open(_ address: String) {
      #if os(macOS)
        let opener = "open"
      #else
        let opener = "xdg-open"
      #endif
      // The browser may be the opener itself, and go on.
      Thread.detachNewThread {
        let child = try? Child(
          URL(filePath: "/usr/bin/env"), [opener, address],
          environment: ProcessInfo.processInfo.environment)
        let limit = monotonicTime() + 10
        child?.followToEnd(while: { monotonicTime() < limit }) { _, _ in }
      }
    }
  }
}
