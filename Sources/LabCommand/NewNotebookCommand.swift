import ArgumentParser
import Foundation
import Lab
import Literate

extension NotebooksCommand {
  /// `lab notebooks new`
  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a new notebook, also from a Jupyter notebook.",
      discussion: """
        Writes Notebooks/NAME/main.swift, a small notebook that runs. With --from, prose becomes comments, \
        and each code cell a cell with the original as a comment to translate; outputs and images are \
        left out.
        """)

    @Argument(help: "The name: letters, digits and -, such as 05-my-notebook.")
    var name: String

    @Option(help: "A Jupyter notebook, a file .ipynb, to begin with.")
    var from: String?

    func run() throws {
      let folders = try NotebooksCommand.folders()
      guard folders.hasManifest else {
        throw NotebookError(
          "expected Package.swift beside \(folders.sources.relativePath), found none; a new notebook "
            + "needs the package and Swift")
      }
      let title = Self.title(of: name)
      let text: String
      if let from {
        guard let data = try? Data(contentsOf: URL(filePath: from)) else {
          throw NotebookError("cannot read \(from): expected a Jupyter notebook")
        }
        text = try JupyterSource(data, named: from).text(setup: Self.setup, title: title)
      } else {
        text = "// # \(title)\n//\n\(Self.introduction)\n\(Self.setup)\n\(Self.firstCell)"
      }
      let file = try folders.create(name, text)
      print(
        """
        \(file.relativePath)
        To run it: \(folders.command) run \(name) --quick
        To work in it: \(folders.command) watch \(name)
        """)
    }

    /// `05-my-notebook` is `My notebook`.
    private static func title(of name: String) -> String {
      let words = name.drop { $0.isNumber || $0 == "-" }.replacing("-", with: " ")
      return words.isEmpty ? name : words.prefix(1).uppercased() + words.dropFirst()
    }

    private static let introduction = """
      // What this notebook is about, in a few sentences of Markdown. The first one is in the gallery.

      """

    private static let setup = """
      import ArgumentParser
      import Lab
      import Literate
      import Notebook
      import Plot

      struct Parameters: ParsableArguments {
        @OptionGroup var common: NotebookOptions
      }

      let parameters = Parameters.fromCommandLine()
      manualSeed(UInt64(parameters.common.seed))

      """

    private static let firstCell = """
      // What the cell does: a comment directly above a call of `cell` is its prose.
      cell("A batch of images")
      let data = attempt { try MNIST(DataOptions(source: parameters.common.dataSource)) }
      note(data)
      let batch = attempt { try data.testBatches().first() }
      inspect(batch.x)
      inspect(batch.y)

      """
  }
}
