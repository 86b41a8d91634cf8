import Foundation

/// A Chromium or Chrome that prints pages to PDF, without a window, a network or the reader's profile.
public struct PDFPrinter: Sendable {
  /// The program of the browser.
  let browser: URL
  /// The time after which the browser is stopped, in seconds.
  let timeLimit: Double

  package init(_ browser: URL, timeLimit: Double = 120) {
    self.browser = browser
    self.timeLimit = timeLimit
  }

  /// The names of the browser's program.
  private static let names = [
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
  ]
  private static let applications = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ]

  /// The browser of this machine; `nil` if there is none.
  public static var installed: PDFPrinter? {
    let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
    let paths = folders.flatMap { folder in names.map { "\(folder)/\($0)" } } + applications
    return paths.first(where: FileManager.default.isExecutableFile(atPath:))
      .map { PDFPrinter(URL(filePath: $0)) }
  }

  /// Prints a page.
  ///
  /// - Parameters:
  ///   - html: The page, a single file.
  ///   - name: The name of the page, for messages.
  /// - Returns: The bytes of the PDF file.
  /// - Throws: ``NotebookError`` if the browser fails or takes too long, ``NotebookInterruption``.
  func pdf(of html: String, named name: String) throws -> Data {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "lab-pdf-\(UUID())", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let (page, pdf) = (folder.appending(path: "page.html"), folder.appending(path: "page.pdf"))
    try writeFile(html, to: page)

    let interruption = Interruption()
    defer { interruption.stop() }
    let deadline = monotonicTime() + timeLimit
    let child = try Child(
      browser, arguments(page: page, pdf: pdf, profile: folder.appending(path: "profile")),
      environment: ProcessInfo.processInfo.environment)
    defer {
      // Its helpers may outlive it, and write to the folder.
      child.end()
      for _ in 0..<50 {
        try? FileManager.default.removeItem(at: folder)
        if !isFolder(folder) { break }
        usleep(20_000)
      }
    }
    var text: [UInt8] = []
    child.followToEnd(while: {
      !interruption.hasOccurred && monotonicTime() < deadline
    }) { bytes, _ in
      if text.count < 1 << 20 { text += bytes }
    }
    if interruption.hasOccurred { throw NotebookInterruption(name: name) }
    let bytes = regularFile(pdf)
    if child.ending == .exit(0), let bytes, Self.isWhole(bytes) { return bytes }
    let reason =
      monotonicTime() < deadline
      ? Self.lastLine(of: text) : "it has not ended after \(Language.english.duration(timeLimit))"
    throw NotebookError(
      "\(name): expected a PDF file from \(browser.path(percentEncoded: false)), got none: \(reason)"
    )
  }

  private func arguments(page: URL, pdf: URL, profile: URL) -> [String] {
    var arguments = [
      "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--no-default-browser-check", "--disable-extensions", "--disable-sync",
      "--disable-background-networking", "--disable-component-update", "--disable-breakpad",
      // No name has an address: a page needs nothing from elsewhere.
      "--host-resolver-rules=MAP * ~NOTFOUND",
      "--user-data-dir=\(profile.path(percentEncoded: false))",
      // Otherwise each sheet has the path of the temporary file at its foot.
      "--no-pdf-header-footer", "--print-to-pdf-no-header", "--generate-pdf-document-outline",
      "--print-to-pdf=\(pdf.path(percentEncoded: false))",
    ]
    // Chromium refuses to start its sandbox for root. The page is ours and has no script.
    if geteuid() == 0 { arguments.append("--no-sandbox") }
    return arguments + [page.absoluteString]
  }

  /// Whether a PDF file has its beginning and its end.
  static func isWhole(_ bytes: Data) -> Bool {
    bytes.starts(with: Data("%PDF-".utf8))
      && bytes.suffix(1024).range(of: Data("%%EOF".utf8)) != nil
  }

  private static func lastLine(of text: [UInt8]) -> String {
    let lines = plainText(String(decoding: text, as: UTF8.self)).split(separator: "\n")
    return lines.last { $0.contains { $0.isLetter } }.map(String.init) ?? "it says nothing"
  }
}
