import Digests
import Foundation

/// Compiled programs in the user's folder for caches, so that they are compiled once on a machine.
///
/// A file's name is the digest of all that the program was made from, its first line that of its
/// contents: a damaged file is compiled again. Files are written whole or not at all, and a folder
/// that cannot be written only costs time.
struct BinaryCache {
  private let folder: URL?

  /// - Parameter folder: The folder; nil for the user's.
  init(folder: URL? = nil) {
    self.folder =
      folder
      ?? FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first?
      .appending(path: "lab-swift/opencl")
  }

  private func url(_ key: String) -> URL? {
    guard let name = try? SHA256.hexadecimal(of: Data(key.utf8)) else { return nil }
    return folder?.appending(path: "\(name).bin")
  }

  subscript(key: String) -> Data? {
    get {
      guard let url = url(key), let file = try? Data(contentsOf: url), file.count > 65 else {
        return nil
      }
      let contents = file.dropFirst(65)
      guard let digest = try? SHA256.hexadecimal(of: Data(contents)),
        Data(digest.utf8) == file.prefix(64)
      else { return nil }
      return Data(contents)
    }
    nonmutating set {
      guard let newValue, let url = url(key), let digest = try? SHA256.hexadecimal(of: newValue)
      else { return }
      let folder = url.deletingLastPathComponent()
      try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try? (Data("\(digest)\n".utf8) + newValue).write(to: url, options: .atomic)
    }
  }
}
