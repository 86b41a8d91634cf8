import ArgumentParser
import Foundation
import Lab
import Literate
import NotebookServer

extension NotebooksCommand {
  /// `lab notebooks watch`
  struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a notebook in the browser, and build and run it whenever it is saved.",
      discussion: """
        The page is at an address of this machine that nobody else can guess. It fills while the \
        notebook runs. A change of prose is shown at once; a change of code builds and runs the \
        notebook again. It ends with Ctrl-C, or when no browser has shown the page for a while.
        """)

    @Argument(help: "A notebook's name, or its beginning.")
    var name: String

    @OptionGroup var parameters: NotebookParameters
    @OptionGroup var limits: NotebookLimits
    @OptionGroup var results: NotebookResults
    @OptionGroup var words: NotebookLanguage

    @Flag(help: "Wait before each cell until the page asks for it.")
    var step = false

    @Flag(help: "Run the notebook even if nothing has changed since its last run.")
    var force = false

    @Flag(name: .customLong("no_browser"), help: "Do not open the page in the browser.")
    var noBrowser = false

    @Option(help: "The port on 127.0.0.1; 0 takes a free one.", transform: number)
    var port: UInt16 = 0

    @Option(
      name: .customLong("idle_minutes"),
      help: "The minutes without a browser after which the server ends.", transform: number)
    var idleMinutes = 30.0

    func validate() throws {
      if !(idleMinutes > 0) {
        throw ValidationError("--idle_minutes: expected minutes above 0, got \(idleMinutes)")
      }
    }

    func run() throws {
      var options = limits.options(parameters)
      results.set(&options)
      options.isForced = force
      let notebook = try NotebooksCommand.folders().notebook(name)
      let interruption = Interruption()
      defer { interruption.stop() }
      let language = try words.chosen
      let live = try LiveNotebook(notebook, options, stepping: step, language: language) { line in
        StandardError.writeLine("\(Self.time)  \(plainText(line))")
      }
      let server = NotebookServer(live, port: port)
      let address = try server.start()
      live.start()
      let title = plainText(notebook.title(in: language))
      print("\(title)\n\(address.absoluteString)\n\(language[.endsWithControlC])")
      if !noBrowser { WebBrowser.open(address) }
      while !interruption.hasOccurred, server.idleTime < .seconds(idleMinutes * 60) {
        usleep(100_000)
      }
      StandardError.writeLine(
        "\(Self.time)  \(interruption.hasOccurred ? "Ending" : "No browser has looked for a while")"
      )
      live.close()
      server.stop()
      print(language[.pageFile, notebook.page(in: language).relativePath])
    }

    private static var time: String {
      Date.now.formatted(
        .verbatim(
          """
          \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\
          \(minute: .twoDigits):\(second: .twoDigits)
          """, locale: Locale(identifier: "en_US_POSIX"), timeZone: .current,
          calendar: Calendar(identifier: .gregorian)))
    }
  }
}
