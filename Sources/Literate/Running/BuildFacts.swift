import Foundation

/// The Git commit of a folder, marked if files have changed since; `nil` outside a repository.
///
/// Where programs were unpacked from an archive, a file `COMMIT` above the folder has the commit.
package func commit(in folder: URL) -> String? {
  let file = folder.deletingLastPathComponent().appending(path: "COMMIT")
  if let bytes = regularFile(file, limit: 1000) {
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
  }
  let arguments = [
    "git", "-C", folder.path(percentEncoded: false), "describe", "--always", "--dirty",
    "--exclude=*", "--abbrev=12",
  ]
  guard
    let child = try? Child(
      URL(filePath: "/usr/bin/env"), arguments, environment: ProcessInfo.processInfo.environment)
  else { return nil }
  // A network disk may keep Git waiting.
  let limit = monotonicTime() + 10
  var bytes: [UInt8] = []
  child.followToEnd(while: { monotonicTime() < limit }) { next, stream in
    if stream == .standardOutput { bytes += next }
  }
  guard child.ending == .exit(0) else { return nil }
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
}

/// The version of the Swift compiler that built a program, from its debug information.
package func compilerVersion(of program: URL) -> String? {
  let mark = Data("Swift version ".utf8)
  guard let bytes = try? Data(contentsOf: program, options: .alwaysMapped) else { return nil }
  // The words themselves are in a program, too: those above.
  var rest = bytes[...]
  while let range = rest.range(of: mark) {
    rest = rest[range.upperBound...]
    let version = rest.prefix { $0 > 0x20 && $0 < 0x7f }
    if version.first.map({ (0x30...0x39).contains($0) }) == true {
      return String(decoding: version, as: UTF8.self)
    }
  }
  return nil
}
