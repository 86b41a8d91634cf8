import Foundation
import Testing

@Suite(.serialized)
struct HomeworkResNetTests {
  private let name = "04-homework-resnet"

  @Test func trainsEachNetworkWithEachSeed() throws {
    try withFolder { folder in
      let outcome = try Program(name: name, folder: folder).run([
        "--quick", "--data_source=synthetic", "--limit_train_batches=2", "--seeds=2",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      // Seven networks are trained; the one without logits for each image is not.
      #expect(outcome.output.matches(of: /Epoch 0 \(SYNTHETIC data\):/).count == 14)
      #expect(
        outcome.errors.contains(
          """
          Error: crossEntropy: expected logits of shape [128, classes] for labels of shape [128], \
          got [128, 64, 28, 28]; the model must return one row of scores per image: \
          flatten, then Linear
          """))
      let table = outcome.output.split(separator: "\n").filter {
        $0.contains(/\d ± \d\.\d{4} +\d\.\d{4} ± \d\.\d{4} +\d+$/)
      }
      #expect(table.count == 7)
      // Times differ from run to run.
      #expect(!outcome.output.contains(" s an epoch"))
      #expect(outcome.errors.contains(/\nCNN, one cycle +\d+\.\d s an epoch\n/))
      let figures = folder.appending(path: "output/\(name)").path(percentEncoded: false)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: figures).sorted()
          == ["networks-SYNTHETIC.png", "predictions-SYNTHETIC.png", "times-SYNTHETIC.png"])
    }
  }

  @Test(
    arguments: [
      (["--max_epochs=0"], "--max_epochs: expected at least 1, got 0"),
      (["--seeds=0"], "--seeds: expected at least 1, got 0"),
    ] as [([String], String)])
  func errorsAreOneLine(arguments: [String], message: String) throws {
    try withFolder { folder in
      let outcome = try Program(name: name, folder: folder).run(arguments)
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
  }
}
