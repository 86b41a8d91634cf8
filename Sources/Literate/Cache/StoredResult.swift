import Foundation

/// A result of ``cached(_:changing:line:file:_:)`` that is stored.
public struct StoredResult: Sendable {
  /// Its folder.
  public let folder: URL
  /// The notebook that has computed it.
  public let notebook: String
  /// Its name; `nil` if the computation was interrupted, or the result is damaged.
  public let name: String?
  /// Whether it is the progress of a computation that was interrupted.
  public let isUnfinished: Bool
  /// How long the computation took.
  public let seconds: Double?
  /// The size of its files in bytes.
  public let size: Int
  /// When it was used last.
  public let lastUse: Date

  /// `unfinished` for the progress of an interrupted computation, `damaged`, or empty.
  public var state: String { isUnfinished ? "unfinished" : name == nil ? "damaged" : "" }

  init(_ listed: ResultCache.Listed) {
    (folder, notebook, name) = (listed.folder, listed.notebook, listed.entry?.name)
    (isUnfinished, seconds) = (listed.isUnfinished, listed.entry?.seconds)
    (size, lastUse) = (listed.size, listed.lastUse)
  }
}

extension NotebookFolders {
  /// The stored results of all notebooks, those that were used last first.
  public var storedResults: [StoredResult] { ResultCache.all(in: cache).map(StoredResult.init) }

  /// Removes stored results.
  ///
  /// - Parameter isChosen: Whether to remove a result.
  /// - Returns: The number of results removed, their size in bytes, and the number of chosen ones that
  ///   could not be removed.
  public func removeStoredResults(
    where isChosen: (StoredResult) -> Bool
  ) -> (count: Int, size: Int, kept: Int) {
    var (count, size, kept) = (0, 0, 0)
    for result in storedResults where isChosen(result) {
      if ResultCache.remove(result.folder) {
        (count, size) = (count + 1, size + result.size)
      } else {
        kept += 1
      }
    }
    return (count, size, kept)
  }
}
