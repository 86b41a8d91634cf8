import Foundation
import Synchronization

/// The figures on a live page: kept in memory, so that they are there although the files of a run move,
/// and a figure that is drawn again does not change those on the page.
package final class LiveFigures: Sendable {
  private struct State {
    /// The files by address.
    var files: [String: Data] = [:]
    /// The address of the last version of each file.
    var addresses: [String: String] = [:]
  }

  private let state = Mutex(State())

  /// Reads a figure that the run has just written.
  func add(_ figure: Page.Figure, in folder: RunFolder) {
    guard let bytes = FigureFiles(folder.url).bytes(of: figure) else {
      state.withLock { $0.addresses[figure.file] = nil }
      return
    }
    var sum = Checksum()
    sum.add(bytes)
    let address = "figures/\(sum.text)/\(linkAddress(figure.file))"
    state.withLock { state in
      state.files[address] = bytes
      state.addresses[figure.file] = address
    }
  }

  /// The address of the last version of a figure, relative to the page; `nil` if there is none.
  func address(of figure: Page.Figure) -> String? {
    state.withLock { $0.addresses[figure.file] }
  }

  /// The bytes at an address.
  package func bytes(at address: String) -> Data? { state.withLock { $0.files[address] } }

  /// Forgets all figures but those at some addresses.
  func keep(_ addresses: Set<String>) {
    state.withLock { state in
      state.files = state.files.filter { addresses.contains($0.key) }
      state.addresses = state.addresses.filter { addresses.contains($0.value) }
    }
  }
}
