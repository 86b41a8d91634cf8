import Foundation

/// What a path names.
package struct FileStatus {
  /// The kind of file.
  package enum Kind: String {
    case file = "file"
    case folder = "folder"
    case link = "symbolic link"
    case other = "device, pipe or socket"
  }

  /// The kind.
  package let kind: Kind
  /// The size in bytes.
  package let size: Int
  /// Equal for two names of one file, and different for two files.
  package let identity: Identity
  /// Whether no folder holds the file any more, although it is still open.
  package let isRemoved: Bool

  /// The numbers of a file and of its file system.
  package struct Identity: Equatable {
    let device: Int
    let inode: UInt64
  }

  private init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    size = Int(status.st_size)
    identity = Identity(device: Int(status.st_dev), inode: UInt64(status.st_ino))
    isRemoved = status.st_nlink == 0
  }

  /// Looks at a path.
  ///
  /// - Parameters:
  ///   - url: The path.
  ///   - followsLinks: Whether to look at what a symbolic link names, instead of the link.
  /// - Returns: Nil if there is nothing.
  /// - Throws: ``DataError`` if the system does not tell, for example because a folder may not be
  ///   searched: there may be something.
  package static func of(_ url: URL, followsLinks: Bool = true) throws -> FileStatus? {
    let path = url.path(percentEncoded: false)
    var status = stat()
    while (followsLinks ? stat(path, &status) : lstat(path, &status)) != 0 {
      switch errno {
      case EINTR: continue
      case ENOENT, ENOTDIR: return nil
      default: throw DataError(.unusable, "cannot look at \(path): \(systemReason(of: errno))")
      }
    }
    return FileStatus(status)
  }

  /// Looks at an open file; nil if the system does not tell.
  package static func of(descriptor: Int32) -> FileStatus? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? FileStatus(status) : nil
  }
}
