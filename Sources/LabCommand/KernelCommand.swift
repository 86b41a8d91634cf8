import ArgumentParser
import Foundation
import JupyterKernel
import Lab

/// `lab kernel`: Jupyter's kernel for the notebooks.
struct KernelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel", abstract: "Let Jupyter run the notebooks that `lab notebooks` writes.",
    discussion: """
      A cell's run is the notebook run to that cell: what it shows depends on the cells, and never on \
      how often they were run. In a cell, %parameters quick=true sets parameters, and %reset forgets \
      all cells.
      """,
    subcommands: [Install.self, Uninstall.self])

  /// `lab kernel install`
  struct Install: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Build the kernel and write its kernel.json for Jupyter.")

    @OptionGroup var place: KernelPlace
    @OptionGroup var parameters: NotebookParameters

    func run() throws {
      try reporting {
        let package = try KernelPackage(
          of: Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0]))
        // The first cell must not wait for the library.
        let session = try SessionFolder(in: package.folder)
        for product in [KernelSpecification.program, session.name] {
          StandardError.writeLine("Building \(product)")
          if let report = try package.build(product, while: { true }) {
            throw KernelError("\(product) was not built: \(report.summary)")
          }
        }
        let specification = place.specification
        try specification.install(package, parameters: parameters.values)
        print("Jupyter's kernel “Swift”: \(specification.folder.relativePath)")
      }
    }
  }

  /// `lab kernel uninstall`
  struct Uninstall: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove the kernel.json.")

    @OptionGroup var place: KernelPlace

    func run() throws {
      try reporting {
        let specification = place.specification
        let isRemoved = try specification.uninstall()
        print("\(isRemoved ? "Removed" : "Not installed"): \(specification.folder.relativePath)")
      }
    }
  }
}

/// Where Jupyter finds the kernel.
struct KernelPlace: ParsableArguments {
  @Option(
    help: """
      The folder of an environment, such as that of a Python with Jupyter. By default the kernel is \
      installed for the user, or in JUPYTER_DATA_DIR.
      """)
  var prefix: String?

  var specification: KernelSpecification {
    KernelSpecification(prefix: prefix, environment: ProcessInfo.processInfo.environment)
  }
}

/// Runs `body`; an error becomes one line.
private func reporting(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as any Error & CustomStringConvertible {
    StandardError.writeLine("Error: \(error)")
    throw ExitCode.failure
  }
}
