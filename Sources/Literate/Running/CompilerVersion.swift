import Foundation

/// The version of the Swift compiler that a program was built by, as its debug information has it.
package func compilerVersion(of program: URL) -> String? {
  let mark = Data("Swift version ".utf8)
  guard let bytes = try? Data(contentsOf: program, options: .alwaysMapped),
    let place = bytes.range(of: mark)
  else { return nil }
  let version = bytes[place.upperBound...].prefix { $0 > 0x20 && $0 < 0x7f }
  return version.isEmpty ? nil : String(decoding: version, as: UTF8.self)
}
