import Foundation
import Testing

@Suite(.serialized)
struct TrainFromTheCommandLineTests {
  private let name = "03-train-from-the-command-line"

  @Test func printsTheCommandLinesAndTheirResults() throws {
    try withFolder { folder in
      let outcome = try Program(name: name, folder: folder).run([
        "--quick", "--data_source=synthetic", "--max_epochs=1", "--limit_train_batches=2",
        "--seed=7",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      // Long lines are continued as in a shell.
      let commands = outcome.output.replacing(" \\\n    ", with: " ").split(separator: "\n")
        .filter { $0.hasPrefix("$ lab train ") }
      #expect(
        commands.first
          == """
          $ lab train --model_class=CNN --data_class=MNIST --max_epochs=1 --limit_train_batches=2 \
          --limit_val_batches=50 --data_source=synthetic --seed=7
          """)
      #expect(commands.count == 5)
      #expect(commands.contains { $0.contains("--overfit_batches=2 --max_epochs=50") })
      #expect(outcome.output.contains("Same loss, to the last bit: true"))
      // The tables of both networks, once each.
      #expect(outcome.output.ranges(of: "| model     | CNN ").count == 2)
      // Times differ from run to run.
      #expect(!outcome.output.contains(" ms a "))
      #expect(outcome.errors.contains(" ms a batch"))
      #expect(
        try pictures(in: folder) == [
          "confused-pairs-SYNTHETIC.png", "confusion-SYNTHETIC.png",
          "confusion-excerpt-SYNTHETIC.png", "curves-emnist-SYNTHETIC.png",
          "curves-mnist-SYNTHETIC.png", "curves-overfit-SYNTHETIC.png", "filters-SYNTHETIC.png",
          "images-per-class-SYNTHETIC.png", "worst-mistakes-SYNTHETIC.png",
        ])

      // The first command line gives the same result in `lab train`.
      let command = try #require(commands.first).split(separator: " ").dropFirst(3)
      let lab = Program(name: "lab", folder: folder)
      let trained = try lab.run(["train"] + command.map(String.init))
      let result = try #require(trained.output.firstMatch(of: /\{'test_acc': .*\}/)).output
      #expect(outcome.output.firstMatch(of: /\{'test_acc': .*\}/)?.output == result)
    }
  }

  @Test(
    arguments: [
      (["--max_epochs=0"], "--max_epochs: expected at least 1, got 0"),
      (["--limit_train_batches=-1"], "limit_train_batches"),
      (
        ["--data_source=synthetic", "--limit_train_batches=0"],
        "Error: fit: expected at least one training batch, got none; raise --limit_train_batches"
      ),
    ] as [([String], String)])
  func errorsAreOneLine(arguments: [String], message: String) throws {
    try withFolder { folder in
      let outcome = try Program(name: name, folder: folder).run(arguments)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }

  private func pictures(in folder: URL) throws -> [String] {
    let folder = folder.appending(path: "output/\(name)").path(percentEncoded: false)
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }
}
