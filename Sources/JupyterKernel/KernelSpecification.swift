import Foundation
import Plot

/// The file `kernel.json` with which Jupyter finds the kernel.
package struct KernelSpecification {
  /// The folder of the file.
  package let folder: URL

  private var file: URL { folder.appending(path: "kernel.json") }
  private var path: String { file.path(percentEncoded: false) }

  /// The program that the file starts.
  package static let program = "lab-kernel"

  /// - Parameter prefix: The folder of an environment, such as that of Python; `nil` for the user's own
  ///   folder of Jupyter, or `JUPYTER_DATA_DIR`.
  package init(prefix: String? = nil, environment: [String: String]) {
    let home = environment["HOME"] ?? NSHomeDirectory()
    var data: String
    #if os(macOS)
      data = "\(home)/Library/Jupyter"
    #else
      let share = environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      data = "\(share ?? "\(home)/.local/share")/jupyter"
    #endif
    if let own = environment["JUPYTER_DATA_DIR"], !own.isEmpty { data = own }
    if let prefix { data = "\(prefix)/share/jupyter" }
    folder = URL(filePath: data, directoryHint: .isDirectory)
      .appending(path: "kernels/swift", directoryHint: .isDirectory)
  }

  /// Writes the file.
  ///
  /// - Parameters:
  ///   - package: The package with the program.
  ///   - parameters: The parameters of notebooks, as `name=value`.
  /// - Throws: ``KernelError`` if there is a kernel of someone else, or an error if the file cannot be
  ///   written.
  package func install(_ package: KernelPackage, parameters: [String]) throws {
    try refuseForeign()
    let program = package.programs.appending(path: Self.program).path(percentEncoded: false)
    var environment: [String: JSON] = [:]
    if !parameters.isEmpty {
      environment["LAB_KERNEL_PARAMETERS"] = .string(parameters.joined(separator: " "))
    }
    let content: JSON = [
      "argv": [
        .string(program), "--swift", .string(package.swift.path(percentEncoded: false)),
        "{connection_file}",
      ],
      "display_name": "Swift", "language": "swift", "interrupt_mode": "message",
      "env": .object(environment), "metadata": ["debugger": false],
    ]
    try writeFile(content.bytes + [0x0A], to: path)
  }

  /// Removes the file.
  ///
  /// - Returns: Whether there was one.
  /// - Throws: ``KernelError`` if it is someone else's, or cannot be removed.
  package func uninstall() throws -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return false }
    try refuseForeign()
    guard unlink(path) == 0 else {
      throw KernelError("cannot remove \(path): \(String(cString: strerror(errno)))")
    }
    // Fails if there are files of someone else in it.
    rmdir(folder.path(percentEncoded: false))
    return true
  }

  private func refuseForeign() throws {
    guard let data = FileManager.default.contents(atPath: path) else { return }
    let program = (try? JSON(Array(data)))?["argv"]?.strings.first
    guard let program, URL(filePath: program).lastPathComponent == Self.program else {
      throw KernelError(
        "expected a file of lab kernel install at \(path), found another kernel; move it")
    }
  }
}
