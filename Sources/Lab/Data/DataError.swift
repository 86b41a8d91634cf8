import Foundation

/// What is wrong with data, in one line: which file, what was expected, what was found, and what to
/// do.
///
/// ```swift
/// throw DataError(.damaged, "a.csv: expected 784 numbers in line 3, got 12; export it again")
/// ```
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of trouble.
  public enum Kind: Sendable {
    /// A file cannot be downloaded from any of its addresses.
    case unavailable
    /// A file has not the contents that it should have.
    case damaged
    /// A file or folder cannot be read or written, or values do not fit together.
    case unusable
  }

  /// The kind of trouble. Only ``Kind/unavailable`` makes `--data_source=auto` use synthetic data.
  public let kind: Kind
  /// The whole message, on one line and without other control characters, which names of files may
  /// have.
  public let description: String

  /// - Parameters:
  ///   - kind: The kind of trouble.
  ///   - description: The whole message, on one line.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = printable(description, limit: .max)
  }
}

/// Runs `body`, and turns errors of the file system into a ``DataError`` that names the file.
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

/// The system's reason, without the rest of Foundation's long error descriptions.
private func reason(of error: any Error) -> String {
  if let posix = (error as? CocoaError)?.underlying as? POSIXError ?? error as? POSIXError {
    return systemReason(of: posix.code.rawValue)
  }
  // Errors of a file handle hold the system's error in another way.
  guard let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError,
    cause.domain == NSPOSIXErrorDomain
  else { return error.localizedDescription }
  return systemReason(of: Int32(cause.code))
}

/// The system's description of an error number.
package func systemReason(of code: Int32) -> String {
  String(cString: strerror(code)).lowercased()
}

/// Text from a file that may be damaged, for use in a message: without control characters, which
/// could move a terminal's cursor, and at most `limit` characters long.
///
/// ```swift
/// printable("F32\n\u{1b}[2J")    // "F32��[2J"
/// ```
package func printable(_ text: String, limit: Int = 60) -> String {
  let scalars = text.unicodeScalars.prefix(limit).map { scalar -> Character in
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      "\u{FFFD}"
    default: Character(scalar)
    }
  }
  return String(scalars) + (text.unicodeScalars.count > limit ? "…" : "")
}
