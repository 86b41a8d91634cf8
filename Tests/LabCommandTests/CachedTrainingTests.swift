import Foundation
import Testing

/// Trainings of notebooks that are stored.
@Suite(.serialized)
struct CachedTrainingTests {
  private let arguments = [
    "--data_source=synthetic", "--max_epochs=3", "--limit_train_batches=40", "--quick",
  ]

  @Test func aTrainingIsNotRepeated() throws {
    try withFolder { folder in
      let notebook = Program(name: "01-look-at-emnist", folder: folder)
      let variables = ["LITERATE_CACHE": folder.appending(path: "cache").path()]
      let first = try notebook.run(arguments, environment: variables)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains("Epoch 2"))
      let figure = folder.appending(path: "output/01-look-at-emnist/predictions-SYNTHETIC.png")
      let predictions = try Data(contentsOf: figure)
      try FileManager.default.removeItem(at: figure)
      let second = try notebook.run(arguments, environment: variables)
      #expect(second.status == 0, "\(second.errors)")
      #expect(second.output == first.output)
      #expect(second.errors.contains("“cnn” is from "))
      #expect(!second.errors.contains("it/s"))
      #expect(try Data(contentsOf: figure) == predictions)
    }
  }

  /// What comes after the training depends on the weights and on the state of the generators.
  @Test func aTrainingThatWasKilledGoesOn() throws {
    try withFolder { folder in
      let notebook = Program(name: "01-look-at-emnist", folder: folder)
      let whole = try notebook.run(arguments)
      #expect(whole.status == 0, "\(whole.errors)")
      let cache = folder.appending(path: "cache")
      let variables = ["LITERATE_CACHE": cache.path()]
      func progress() -> Bool {
        let names = try? FileManager.default.subpathsOfDirectory(atPath: cache.path())
        return names?.contains { $0.hasSuffix(".unfinished/training-state.sha256") } == true
      }
      // The state is saved after each epoch.
      let killed = try notebook.run(
        arguments, environment: variables, stopping: SIGKILL, interruptedWhen: progress)
      #expect(killed.status == 128 + SIGKILL)
      #expect(!killed.output.contains("Epoch 2"))
      let resumed = try notebook.run(arguments, environment: variables)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output == whole.output)
      #expect(!progress())
      let again = try notebook.run(arguments, environment: variables)
      #expect(again.output == whole.output)
    }
  }
}
