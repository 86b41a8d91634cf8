import Foundation
import Literate

/// The reader's web browser.
package enum WebBrowser {
  /// Opens an address in the browser, if there is one; whether it does so is not known.
  package static func open(_ address: URL) {
    let environment = ProcessInfo.processInfo.environment
    #if canImport(Darwin)
      let program = "/usr/bin/open"
    #else
      let program = "xdg-open"
      // Without a desktop it would start a browser in the terminal.
      guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil else { return }
    #endif
    // In a group of its own: Ctrl-C in the terminal must not end the browser.
    guard
      let child = try? spawn(
        program, [address.absoluteString], environment: environment, searchesPath: true)
    else { return }
    DispatchQueue.global().async {
      var status: Int32 = 0
      // Otherwise it would stay in the system's table.
      while waitpid(child, &status, 0) == -1, errno == EINTR {}
    }
  }
}
