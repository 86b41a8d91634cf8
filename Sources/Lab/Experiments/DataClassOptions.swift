import ArgumentParser
import LabDatasets
import LabModels

/// The data sets that can be named on the command line.
package enum DataClass: String, CaseIterable {
  case MNIST, EMNIST, EMNISTLines
}

/// Which data to use, and how.
package struct DataClassOptions: ParsableArguments {
  @Option(
    name: .customLong("data_class"), help: choices("The data set", default: DataClass.MNIST),
    transform: { try choice($0) })
  package var dataClass = DataClass.MNIST

  @Option(
    name: .customLong("data_source"),
    help: ArgumentHelp(
      "Where the images come from: auto, download, synthetic. (default: auto)",
      discussion: """
        auto downloads them, and draws handwriting of its own if it cannot; download fails then; \
        synthetic never downloads.
        """),
    transform: { try choice($0) })
  var dataSource = DataSource.auto

  @Option(name: .customLong("batch_size"), help: "Images in a batch.")
  var batchSize = 128

  @Option(
    name: .customLong("num_workers"),
    help: "Threads that gather batches ahead; 0 gathers each when it is needed.")
  var workers = 0

  package init() {}

  package func validate() throws {
    guard (1...65_536).contains(batchSize) else {
      throw ValidationError("--batch_size: expected 1 to 65536, got \(batchSize)")
    }
    guard (0...64).contains(workers) else {
      throw ValidationError("--num_workers: expected 0 to 64, got \(workers)")
    }
  }

  /// The data set, prepared.
  ///
  /// - Parameters:
  ///   - lines: What lines are to be like.
  ///   - augmentation: How training images are changed at random.
  package func load(
    lines: EMNISTLines.Parameters = .init(), augmentation: RandomAffine? = nil
  ) throws -> any DataModule {
    let options = DataOptions(
      source: dataSource, batchSize: batchSize, workers: workers, augmentation: augmentation)
    return switch dataClass {
    case .MNIST: try MNIST(options)
    case .EMNIST: try EMNIST(options)
    case .EMNISTLines: try EMNISTLines(options, lines)
    }
  }

  /// One line about a data set.
  package func summary(of data: any DataModule) -> String {
    "Data: \(data.isSynthetic ? "SYNTHETIC " : "")\(dataClass), "
      + "train/val/test sizes \(data.train.count), \(data.val.count), \(data.test.count)"
  }
}

extension DataModule {
  /// The data set's name for folders and titles; what was drawn says so.
  package var displayName: String { isSynthetic ? "\(Self.name)-SYNTHETIC" : Self.name }
}
