import Foundation

/// What goes wrong with data: one line that says which file, what was expected, what came, and what
/// to do.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of trouble it is.
  public enum Kind: Sendable {
    /// A file cannot be had from any of its addresses: no network, no such page.
    case unavailable
    /// A file is not what it should be.
    case damaged
    /// The data folder cannot be read or written, or what it says cannot be followed.
    case unusable
  }

  /// What kind of trouble it is; only ``Kind/unavailable`` makes `--data_source auto` draw its own
  /// handwriting.
  public let kind: Kind
  /// The whole message, on one line.
  public let description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

/// Runs `body`, and says in one line which file it was about when the file system refuses.
package func withFile<Result>(
  _ url: URL, _ doing: String, _ body: () throws -> Result
) throws -> Result {
  do {
    return try body()
  } catch let error as DataError {
    throw error
  } catch {
    throw DataError(
      .unusable, "cannot \(doing) \(url.path(percentEncoded: false)): \(reason(of: error))")
  }
}

/// Foundation's long error descriptions cut down to the reason the system gave.
private func reason(of error: any Error) -> String {
  if let posix = (error as? CocoaError)?.underlying as? POSIXError {
    return systemReason(of: posix.code.rawValue)
  }
  // A file handle's errors have the system's inside in another way.
  guard let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError,
    cause.domain == NSPOSIXErrorDomain
  else { return error.localizedDescription }
  return systemReason(of: Int32(cause.code))
}

/// The system's words for an error number.
package func systemReason(of code: Int32) -> String {
  String(cString: strerror(code)).lowercased()
}

/// Text from a file that may be damaged, so that it can stand in a line: without what moves a
/// terminal's cursor, and not too long.
///
/// ```swift
/// printable("F32\n\u{1b}[2J")    // "F32��[2J"
/// ```
package func printable(_ text: String) -> String {
  let scalars = text.unicodeScalars.prefix(60).map { scalar -> Character in
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      "\u{FFFD}"
    default: Character(scalar)
    }
  }
  return String(scalars) + (text.unicodeScalars.count > 60 ? "…" : "")
}
