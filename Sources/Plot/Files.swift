import Foundation

/// An error while drawing, writing or reading a figure, in one line.
public struct PlotError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what to do about it.
  public let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// Writes a file atomically, and creates missing folders.
///
/// - Throws: ``PlotError`` with the path and the system's reason.
package func writeFile(_ bytes: [UInt8], to path: String) throws(PlotError) {
  let url = URL(fileURLWithPath: path)
  let folder = url.deletingLastPathComponent()
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  } catch {
    throw PlotError("cannot write \(path): folder \(folder.path): \(reason(error))")
  }
  do {
    try Data(bytes).write(to: url, options: .atomic)
  } catch {
    throw PlotError("cannot write \(path): \(reason(error))")
  }
}

/// Reads a file.
///
/// - Throws: ``PlotError`` with the path and the system's reason.
func readFile(_ path: String) throws(PlotError) -> [UInt8] {
  do {
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  } catch {
    throw PlotError("cannot read \(path): \(reason(error))")
  }
}

/// The system's own message, such as `Permission denied`, without Foundation's sentence around it.
private func reason(_ error: any Error) -> String {
  let cause = (error as? CocoaError)?.underlying as? POSIXError
  return cause.map { String(cString: strerror($0.code.rawValue)) } ?? error.localizedDescription
}
