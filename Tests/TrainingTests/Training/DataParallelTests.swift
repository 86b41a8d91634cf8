import Foundation
import Kernels
import Lab
import LabProcesses
import TestSupport
import Testing

/// Training by parts of batches, in one or several processes. The processes are threads here; real ones
/// are tested with `mpirun` in `ProcessesTests`.
@Suite(.serialized)
struct DataParallelTests {
  /// What is trained.
  enum Kind: CaseIterable {
    case mlp, augmentedCNN, mixedCNN, resNet, averagedResNet, epochAverage, generatorOfItsOwn
    case freshImages
  }

  /// All that a training leaves behind.
  struct Leftovers: Equatable, Sendable {
    var weights = Data()
    var optimizer: [String] = []
    var history = Data()
    var predictions: [Prediction] = []
    var metrics = Metrics()
    var generator = Data()
  }

  @Test(arguments: Kind.allCases)
  func anyNumberOfProcessesGivesTheSameBytes(kind: Kind) throws {
    let before = Threads.count
    defer { Threads.count = before }
    let one = try train(kind, processes: 1)
    #expect(one.allSatisfy { $0 == one[0] })
    for (size, threads) in [(1, 3), (2, 1), (3, 2), (4, 4), (8, 1)] {
      Threads.count = threads
      let several = try train(kind, processes: size)
      #expect(several.count == size)
      for (rank, leftovers) in several.enumerated() {
        #expect(leftovers == one[0], "rank \(rank) of \(size), \(threads) threads")
      }
    }
  }

  /// The sums are the same up to rounding errors: the weights after one step of gradient descent show them.
  @Test func partsGiveTheGradientsOfTheWholeBatch() throws {
    try withTinyData { data in
      for name in ["MLP", "CNN", "ResNet"] {
        func trained(_ microShards: Int?) throws -> any Model {
          try seeded(3) {
            let model: any Model
            switch name {
            case "MLP": model = MLP(data.config)
            case "CNN": model = CNN(data.config)
            default:
              var options = ResNet.Options.defaults
              options.channels = 4
              model = ResNet(data.config, options)
            }
            // Dropout draws other numbers for parts of a batch.
            let undropped = withoutDropout(model)
            let trainer = quietTrainer(maxEpochs: 1)
            trainer.limitTrainBatches = .count(1)
            trainer.microShards = microShards
            try trainer.fit(
              undropped, data, optimizer: SGD(undropped.parameters, learningRate: 0.1))
            return undropped
          }
        }
        let (whole, parts) = (try trained(nil), try trained(8))
        for (a, b) in zip(whole.namedParameters, parts.namedParameters) {
          let (x, y) = (a.parameter.value.elements, b.parameter.value.elements)
          let scale = x.reduce(0) { max($0, abs($1)) }
          let difference = zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) }
          #expect(difference <= 2e-5 * scale, "\(name), \(a.path)")
        }
        for (a, b) in zip(whole.namedStatistics, parts.namedStatistics) {
          #expect(a.statistics.batches == b.statistics.batches)
          for (x, y) in zip(
            a.statistics.mean.elements + a.statistics.variance.elements,
            b.statistics.mean.elements + b.statistics.variance.elements)
          {
            #expect(abs(x - y) <= 1e-5 * max(1, abs(x)), "\(name), \(a.path)")
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3])
  func aRunIsResumedWithAnotherNumberOfProcesses(first: Int) throws {
    let whole = try TemporaryFolder()
    let broken = try TemporaryFolder()
    _ = try train(.averagedResNet, processes: 1, in: whole.url)
    var size = first
    var stops = 0
    while true {
      // Each process is asked after each step and before each validation; the last one stops all.
      let results = ThreadedProcess.results(size) { process in
        let asked = Counter()
        return try Self.train(.averagedResNet, process, in: broken.url) {
          asked.increase() == 3 && process.rank == process.size - 1
        }
      }
      let errors = results.compactMap { result -> (any Error)? in
        if case .failure(let error) = result { error } else { nil }
      }
      if errors.isEmpty { break }
      #expect(errors.count == size && errors.allSatisfy { $0 is TrainingInterruption })
      stops += 1
      try #require(stops < 40)
      size = [1, 4, 2, 3, 8][stops % 5]
    }
    #expect(stops >= 3)
    #expect(try files(in: broken.url) == files(in: whole.url))
  }

  /// In the first step, in the others, in validation, and in the first steps of the second epoch.
  @Test(arguments: [1, 2, 5, 6, 7, 8, 9, 10])
  func theStateIsSavedIfAnotherProcessFails(asked number: Int) throws {
    let whole = try TemporaryFolder()
    let broken = try TemporaryFolder()
    _ = try train(.augmentedCNN, processes: 1, in: whole.url)
    let mailbox = ThreadedProcess.Mailbox()
    let failure = PeerFailure("rank 1 on host-1 has not answered for 7 s", of: 1)
    let results = ThreadedProcess.results(2, mailbox: mailbox) { process in
      let asked = Counter()
      return try Self.train(.augmentedCNN, process, in: broken.url) {
        if process.rank == 1, asked.increase() == number { mailbox.fail(failure) }
        return false
      }
    }
    for result in results {
      #expect(throws: failure) { try result.get() }
    }
    let state = broken.url.appending(path: "training_state.safetensors")
    // At first the other process may have none yet.
    let isSaved = FileManager.default.fileExists(atPath: state.path(percentEncoded: false))
    #expect(number < 8 || isSaved)
    _ = try train(.augmentedCNN, processes: 3, in: broken.url)
    #expect(try files(in: broken.url) == files(in: whole.url))
  }

  @Test func processesThatDifferAreNamed() throws {
    let results = ThreadedProcess.results(3) { process in
      try withTinyData { data in
        try seeded(process.rank == 2 ? 7 : 42) {
          let model = MLP(data.config)
          let trainer = quietTrainer()
          trainer.processes = process
          try trainer.fit(model, data, optimizer: SGD(model.parameters))
        }
      }
    }
    for result in results {
      let error = #expect(throws: TrainingError.self) { try result.get() }
      #expect(
        error?.description
          == "fit: expected the same random numbers in all processes, got others in rank 2 on "
          + "host-2; give all of them the same program, options and data")
    }
  }

  @Test func moreProcessesThanPartsAreRefused() throws {
    let results = ThreadedProcess.results(3) { process in
      try withTinyData { data in
        let model = MLP(data.config)
        let trainer = quietTrainer()
        (trainer.processes, trainer.microShards) = (process, 2)
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
    }
    for result in results {
      let error = #expect(throws: TrainingError.self) { try result.get() }
      #expect(
        error?.description
          == "fit: expected at most 2 processes, one for each micro-shard of a batch, got 3; raise "
          + "microShards")
    }
  }

  @Test func aRunKeepsItsNumberOfParts() throws {
    let folder = try TemporaryFolder()
    _ = try train(.mlp, processes: 2, in: folder.url)
    let error = #expect(throws: TrainingError.self) {
      try withTinyData { data in
        try seeded(42) {
          let model = MLP(data.config)
          let trainer = quietTrainer(maxEpochs: 3)
          trainer.run = try TrainingRun(folder.url)
          try trainer.fit(model, data, optimizer: Adam(model.parameters))
        }
      }
    }
    let path = folder.url.appending(path: "training_state.safetensors").path(percentEncoded: false)
    #expect(
      error?.description
        == "\(path): expected batches in 8 micro-shards as at the run's beginning, got whole batches; "
        + "do not change microShards")
  }

  @Test func aLossThatIsNoMeanOverExamplesIsRefused() throws {
    struct Sum: Objective {
      let metricNames = ["loss"]
      func score(_ output: Tensor, _ batch: Batch) throws(ShapeError) -> BatchScore {
        BatchScore(loss: sum(output), count: 1)
      }
      func predictions(
        _ output: Tensor, _ batch: Batch, from first: Int
      ) throws(ShapeError) -> [Int] { [] }
    }
    try withTinyData { data in
      let model = MLP(data.config)
      let trainer = quietTrainer()
      trainer.microShards = 4
      let error = #expect(throws: TrainingError.self) {
        try trainer.fit(model, data, optimizer: SGD(model.parameters), objective: Sum())
      }
      #expect(
        error?.description
          == "fit: expected a loss that is the mean over the 4 examples of a batch, as training by "
          + "micro-shards needs, got a mean over 1")
    }
  }

  // MARK: Trees and sums

  @Test func aTreeAddsTheSameWhoeverAdds() {
    let tree = SumTree(count: 8)
    #expect(tree.parts(of: 0..<8) == [0..<8])
    #expect(tree.parts(of: 3..<6) == [3..<4, 4..<6])
    #expect(tree.parts(of: 2..<2) == [])
    #expect(SumTree(count: 5).parts(of: 0..<5) == [0..<5])
    let order = SumTree(count: 6).sum(over: 0..<6) {
      $0.count == 1 ? "\($0.lowerBound)" : nil
    } add: {
      "(\($0) \($1))"
    }
    #expect(order == "(((0 1) (2 3)) (4 5))")
    for size in 1...8 {
      let shares = (0..<size).map { tree.share(of: $0, among: size) }
      #expect(shares.flatMap { Array($0) } == Array(0..<8))
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8])
  func longSumsHaveTheBitsOfTheTree(size: Int) throws {
    let tree = SumTree(count: 8)
    for count in [0, 1, 15, 16, 17, 1000] {
      let terms = (0..<8).map { (term: Int) -> [Float] in
        let scale = Float(1 << (term % 5))
        return (0..<count).map { (index: Int) -> Float in
          scale * Float(sin(Double(1 + term * 1000 + index)))
        }
      }
      @Sendable func parts(_ range: Range<Int>) -> [Range<Int>: [Float]] {
        var parts: [Range<Int>: [Float]] = [:]
        for part in tree.parts(of: range) {
          parts[part] = tree.sum(over: part) {
            $0.count == 1 ? terms[$0.lowerBound] : nil
          } add: {
            zip($0, $1).map { $0 + $1 }
          }
        }
        return parts
      }
      let expected = parts(0..<8)[0..<8]
      let sums = try ThreadedProcess.run(size) { process in
        let pending = Pending<[Float]>()
        process.sumInSlices(
          0, parts(tree.share(of: process.rank, among: size)), count: count, tree
        ) { pending.fulfill($0) }
        return try pending.value(noting: process)
      }
      for sum in sums { #expect(sum == expected) }
    }
  }

  @Test func bytesAreGatheredAndBroadcast() throws {
    let results = try ThreadedProcess.run(3) { process in
      (
        try process.gather([UInt8](repeating: UInt8(process.rank), count: process.rank)),
        try process.broadcast(process.rank == 0 ? [4, 5] : []),
        try process.any(process.rank == 1), try process.any(false)
      )
    }
    for (gathered, sent, any, none) in results {
      #expect(gathered == [[], [1], [2, 2]])
      #expect(sent == [4, 5])
      #expect(any && !none)
    }
  }

  // MARK: Training

  private func train(_ kind: Kind, processes: Int, in folder: URL? = nil) throws -> [Leftovers] {
    try ThreadedProcess.run(processes) { try Self.train(kind, $0, in: folder) { false } }
  }

  /// Trains as one of several processes. 70 images in batches of 16 leave a batch of 6, which is smaller
  /// than the number of parts.
  private static func train(
    _ kind: Kind, _ process: ThreadedProcess, in folder: URL?,
    interruptedWhen isInterrupted: @escaping () -> Bool
  ) throws -> Leftovers {
    let isAugmented = [.augmentedCNN, .mixedCNN, .resNet, .averagedResNet].contains(kind)
    let augmentation = isAugmented ? RandomAffine(degrees: 10, translate: 0.1) : nil
    return try withTinyData(workers: kind == .resNet ? 2 : 0, augmentation: augmentation) { data in
      var data = data
      if kind == .freshImages { data.freshTrain = try TinyData.fresh(count: 70) }
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.processes = process
      trainer.microShards = 8
      if kind == .mixedCNN { trainer.mixup = 1 }
      if kind == .epochAverage { trainer.averaging = .stochastic(learningRate: 0.01) }
      if kind == .averagedResNet {
        trainer.averaging = .exponential(decay: 0.9)
        (trainer.validationInterval, trainer.monitor) = (.count(2), .valAccuracy)
        trainer.gradientNorm = 2
      }
      trainer.isInterrupted = isInterrupted
      trainer.checkpointEverySteps = 3
      if let folder, process.rank == 0 { trainer.run = try TrainingRun(folder) }
      if folder != nil, process.rank > 0 {
        trainer.observers = [Forbidden()]
      }
      return try seeded(42) {
        let model: any Model
        switch kind {
        case .mlp, .freshImages: model = MLP(data.config)
        case .augmentedCNN, .mixedCNN:
          var options = CNN.Options.defaults
          (options.convDim, options.fcDim) = (4, 8)
          model = CNN(data.config, options)
        case .resNet, .averagedResNet, .epochAverage:
          var options = ResNet.Options.defaults
          options.channels = 4
          model = ResNet(data.config, options)
        case .generatorOfItsOwn:
          var mlp = MLP(data.config)
          mlp.dropout = Dropout(0.5, generator: Generator(seed: 5))
          model = mlp
        }
        return try leftovers(model, data, trainer)
      }
    }
  }

  private static func leftovers(
    _ model: some Model, _ data: TinyData, _ trainer: Trainer
  ) throws -> Leftovers {
    let optimizer = Adam(model.parameters)
    let history = try trainer.fit(model, data, optimizer: optimizer)
    let results = try trainer.test(model, data)
    var leftovers = Leftovers()
    leftovers.weights = try Checkpoint.file(of: model).data
    leftovers.optimizer = optimizer.state.map { state in
      state.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.elements)" }.joined()
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    leftovers.history = try encoder.encode(history.flatMap { [$0.train, $0.val] })
    leftovers.predictions = results.predictions
    leftovers.metrics = results.metrics
    leftovers.generator = try encoder.encode(Generator.shared.state)
    return leftovers
  }

  /// The files of a run by name; of the state without its times.
  private func files(in folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    {
      let url = folder.appending(path: name)
      // It has times of day.
      if name.contains("tfevents") { continue }
      if name == "training_state.safetensors" {
        var file = try Safetensors(contentsOf: url)
        for (key, text) in file.metadata {
          file.metadata[key] = text.replacing(#/"seconds":[-+.e0-9]+/#, with: "")
        }
        files[name] = try file.data
      } else {
        files[name] = try Data(contentsOf: url)
      }
    }
    return files
  }
}

/// An observer of a process that must not have any.
private final class Forbidden: TrainingObserver {
  func stepEnded(_ step: TrainingStep) throws {
    Issue.record("a process other than the first one has called an observer")
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  func increase() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}

/// The model with a probability of 0 in its dropout.
private func withoutDropout(_ model: any Model) -> any Model {
  if var model = model as? MLP {
    model.dropout = Dropout(0)
    return model
  }
  if var model = model as? CNN {
    model.dropout = Dropout(0)
    return model
  }
  return model
}
