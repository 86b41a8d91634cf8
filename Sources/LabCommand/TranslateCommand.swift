import ArgumentParser
import Lab
import Literate

extension NotebooksCommand {
  /// `lab notebooks translate`
  struct Translate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write or update the Korean prose of notebooks, to be translated.",
      discussion: """
        Notebooks/NAME/main.ko.md has each title and paragraph of main.swift below a comment with the \
        checksum of the English. This command adds what is missing, in English and marked as \
        untranslated; it marks what has changed, with the English of now in the comment. Translate and \
        revise the text below the comments. Nothing that you have written is ever removed.

          lab notebooks translate 01
          lab notebooks translate 01 --renew=0123abcd    that translation is right as it is
          lab notebooks translate 01 --renew=all         all that have changed are
          lab notebooks translate --readme               README.ko.md, by sections
        """)

    @Argument(help: "Names of notebooks, or their beginnings.")
    var names: [String] = []

    @Flag(help: "The package's README.")
    var readme = false

    @Option(
      help: """
        The checksum of English whose translation is right as it is, as lab notebooks check tells it; \
        all for all that have changed.
        """)
    var renew: [String] = []

    func validate() throws {
      if names.isEmpty != readme {
        throw ValidationError(
          "expected notebooks' names or --readme\(readme ? ", got both" : "")")
      }
    }

    func run() throws {
      let folders = try folders()
      for notebook in try names.map({ try folders.notebook($0) }) {
        tell(try notebook.updateTranslation(into: .korean, renewed: renew))
      }
      if readme {
        tell(try TranslatedDocument(readmeOf: folders, in: .korean).update(renewed: renew))
      }
    }

    private func tell(_ update: TranslationUpdate) {
      let counts = [
        (update.untranslated, "to translate"), (update.changed, "to revise"),
        (update.gone, "without English"),
      ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
      let words = counts.isEmpty ? "complete" : counts.joined(separator: ", ")
      print("\(update.path): \(update.count) titles and paragraphs: \(words)")
    }
  }
}
