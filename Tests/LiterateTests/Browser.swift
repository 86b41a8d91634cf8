import Foundation
import Spawning
import Testing

/// A headless Chromium, if one is installed.
struct Browser {
  /// A page as seen by a script in the browser.
  struct Report: Decodable {
    struct Figure: Decodable {
      /// The width of the image file; 0 if it could not be read.
      var naturalWidth: Int
      var width: String?
      var height: String?
      var alternativeText: String?
    }

    /// The pixels by which the page is wider than the window.
    var overflow: Int
    var background: String
    var figures: [Figure]
    var requests: [String]
    /// The console messages that the browser logs.
    var consoleLines: [String]?
  }

  let path: String

  static let installed: Browser? = {
    let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
    let names = ["chromium", "chromium-browser", "google-chrome"]
    let paths =
      folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
      + ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
    return paths.first(where: FileManager.default.isExecutableFile(atPath:)).map(Browser.init)
  }()

  /// Opens a page in a frame and inspects it with a script outside the frame.
  ///
  /// - Parameters:
  ///   - page: The file of the page.
  ///   - width: The width of the frame in pixels; windows cannot be as narrow as a phone.
  func open(_ page: URL, width: Int, dark: Bool = false) throws -> Report {
    let (text, errors) = try run(Self.probe(of: page, width: width), dark: dark)
    var report = try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    report.consoleLines = errors.split(separator: "\n").map(String.init)
      .filter { $0.contains(/CONSOLE[:(]/) }
    return report
  }

  /// Opens a page in a frame, and runs a script outside the frame.
  ///
  /// - Parameters:
  ///   - page: The address of the page.
  ///   - width: The width of the frame in pixels.
  ///   - height: The height of the frame in pixels.
  ///   - script: The statements; `frame` is the frame's window.
  /// - Returns: What the script returns, as text.
  func evaluate(
    _ page: String, width: Int = 1280, height: Int = 720, _ script: String
  ) throws -> String {
    try run(
      """
      <!DOCTYPE html>
      <iframe src="\(page)" width="\(width)" height="\(height)"></iframe>
      <script>
      addEventListener("load", () => {
        const frame = document.querySelector("iframe").contentWindow
        document.body.textContent = encodeURIComponent(String((() => { \(script) })()))
      })
      </script>
      """
    ).text
  }

  /// What a page writes over itself, and what the browser prints.
  private func run(_ html: String, dark: Bool = false) throws -> (text: String, errors: String) {
    try withSampleFolder(figures: false) { folder in
      let probe = folder.appending(path: "probe.html")
      try Data(html.utf8).write(to: probe)
      // A browser is several processes.
      let outcome = try Spawned.run(
        [
          path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
          "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
          "--user-data-dir=\(folder.appending(path: "profile").path)",
          "--allow-file-access-from-files", "--enable-logging=stderr",
          "--blink-settings=preferredColorScheme=\(dark ? 0 : 1)", "--dump-dom",
          probe.absoluteString,
        ], in: folder, isGroup: true)
      let found = try #require(
        outcome.output.firstMatch(of: /<body>(.*)<\/body>/), "\(outcome.errors)")
      return (try #require(String(found.1).removingPercentEncoding), outcome.errors)
    }
  }

  private static func probe(of page: URL, width: Int) -> String {
    """
    <!DOCTYPE html>
    <iframe src="\(page.absoluteString)" width="\(width)" height="800"></iframe>
    <script>
    addEventListener("load", () => {
      const frame = document.querySelector("iframe").contentWindow
      const page = frame.document
      document.body.textContent = encodeURIComponent(JSON.stringify({
        overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
        background: frame.getComputedStyle(page.body).backgroundColor,
        figures: Array.from(page.images, image => ({
          naturalWidth: image.naturalWidth,
          width: image.getAttribute("width"),
          height: image.getAttribute("height"),
          alternativeText: image.getAttribute("alt"),
        })),
        requests: frame.performance.getEntriesByType("resource").map(entry => entry.name),
      }))
    })
    </script>
    """
  }
}
