import Foundation

/// The commit that a folder's files are of, marked if any has changed since; nil where Git knows none.
package func commit(in folder: URL) -> String? {
  let arguments = [
    "git", "-C", folder.path(percentEncoded: false), "describe", "--always", "--dirty",
    "--exclude=*", "--abbrev=12",
  ]
  guard
    let child = try? Child(
      URL(filePath: "/usr/bin/env"), arguments, environment: ProcessInfo.processInfo.environment)
  else { return nil }
  while !child.hasEnded() { usleep(1_000) }
  guard child.ending == .exit(0) else { return nil }
  var bytes = [UInt8](repeating: 0, count: 256)
  let count = read(child.output, &bytes, bytes.count)
  let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  return text.split(separator: "\n").first.map(String.init)
}
