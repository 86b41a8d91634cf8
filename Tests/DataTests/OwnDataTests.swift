import Foundation
import Lab
import TestSupport
import Testing

/// Data sets that a program makes itself.
@Suite struct OwnDataTests {
  private let x = Tensor((0..<48).map { Float($0) / 8 }, shape: [4, 3, 2, 2])

  private func expectError(_ text: String, _ body: () throws -> Void) {
    #expect(throws: DataError(.unusable, text)) { try body() }
  }

  @Test func floatsOfAnyShape() throws {
    let dataset = try Dataset(images: x, labels: IntTensor([300, 1, 2, 0]))
    #expect(dataset.count == 4 && dataset.dims == [3, 2, 2] && dataset.targetDims == [])
    let batch = dataset.subset([3, 0]).batch(at: [0, 1])
    #expect(batch.x.shape == [2, 3, 2, 2])
    #expect(batch.x.elements == (Array(36..<48) + Array(0..<12)).map { Float($0) / 8 })
    #expect(batch.y == IntTensor([0, 300]))
    #expect(dataset[0].y == 300 && dataset.label(at: 2) == 2)
  }

  @Test func severalLabelsPerImage() throws {
    let dataset = try Dataset(
      images: [1, 2, 3, 4], dims: [2], labels: [0, 1, 2, 3, 4, 5], targetDims: [3])
    #expect(dataset.count == 2 && dataset.targetDims == [3])
    #expect(dataset.labels(at: 1) == [3, 4, 5])
    let batch = dataset.batch(at: [1, 0])
    #expect(batch.x == Tensor([3, 4, 1, 2], shape: [2, 2]))
    #expect(batch.y == IntTensor([3, 4, 5, 0, 1, 2], shape: [2, 3]))
    let module = try ArrayDataModule(
      train: dataset, val: dataset.subset([0]), test: dataset.subset([]),
      classes: ["a", "b", "c", "d", "e", "f"])
    #expect(module.config.inputDims == [2] && module.config.outputDims == [3, 1])
    #expect(module.string(of: module.train.labels(at: 1)) == "def")
  }

  @Test func bytesAreDividedBy255() throws {
    let bytes: [UInt8] = [0, 51, 255, 102, 1, 2, 3, 4]
    let dataset = try Dataset(bytes: bytes, dims: [1, 2, 2], labels: [1, 0])
    #expect(
      dataset.batch(at: [1, 0]).x.elements == [1, 2, 3, 4, 0, 51, 255, 102].map { $0 / 255 })
    #expect(dataset.batch(at: [1, 0]).y == IntTensor([0, 1]))
  }

  /// Bytes in memory are not given back to the system, as mapped files are after 1024 reads.
  @Test func bytesInMemoryStay() throws {
    let dataset = try Dataset(
      bytes: [UInt8](repeating: 255, count: 200_000), dims: [1, 100, 100],
      labels: [Int](repeating: 0, count: 20))
    for _ in 0..<200 {
      let batch = dataset.batch(at: Array(0..<20))
      #expect(batch.x.elements.allSatisfy { $0 == 1 })
    }
  }

  @Test func refusesWhatDoesNotFit() {
    expectError(
      "Dataset: expected images of shape (n, channels, rows, columns) and labels of shape (n) or "
        + "(n, labels per image), got [4, 3, 2, 2] and [3]"
    ) { _ = try Dataset(images: x, labels: IntTensor([1, 2, 3])) }
    expectError(
      "Dataset: expected as many images of shape [1, 2, 2] as labels of shape [], got 7 elements "
        + "(1 images) and 2 labels"
    ) {
      _ = try Dataset(images: [Float](repeating: 0, count: 7), dims: [1, 2, 2], labels: [0, 1])
    }
    expectError("Dataset: expected labels of at least 0, got -1") {
      _ = try Dataset(images: [1, 2], dims: [1], labels: [0, -1])
    }
    for dims in [[], [0], [1 << 40, 1 << 40]] {
      expectError(
        "Dataset: expected extents of at least 1 for an image and its labels, got \(dims) and []"
      ) { _ = try Dataset(images: [], dims: dims, labels: []) }
    }
  }

  // [len(part) for part in torch.utils.data.random_split(range(n), fractions)]
  @Test(
    arguments: [
      (11, [0.8, 0.1, 0.1], [9, 1, 1]), (13, [0.5, 0.25, 0.25], [7, 3, 3]),
      (5, [0.3, 0.3, 0.4], [2, 1, 2]), (0, [0.5, 0.5], [0, 0]), (7, [1, 0], [7, 0]),
    ] as [(Int, [Double], [Int])])
  func fractionsAsPyTorch(count: Int, fractions: [Double], expected: [Int]) throws {
    let dataset = try Dataset(
      images: (0..<count).map(Float.init), dims: [1], labels: Array(0..<count))
    let parts = try dataset.randomSplit(fractions: fractions, generator: Generator(seed: 42))
    #expect(parts.map(\.count) == expected)
    // A split by sizes takes the same images.
    let same = try dataset.randomSplit(expected, generator: Generator(seed: 42))
    func labels(_ parts: [Dataset]) -> [[Int]] {
      parts.map { part in (0..<part.count).map(part.label) }
    }
    #expect(labels(parts) == labels(same))
    #expect(labels(parts).joined().sorted() == Array(0..<count))
  }

  @Test func refusesSplitsThatDoNotAddUp() throws {
    let dataset = try Dataset(images: [1, 2, 3], dims: [1], labels: [0, 1, 2])
    for sizes in [[1, 1], [4], [-1, 4], [.max, .max, 5], []] {
      expectError("randomSplit: expected sizes that add up to 3, got \(sizes)") {
        _ = try dataset.randomSplit(sizes, generator: Generator(seed: 1))
      }
    }
    for fractions in [[0.5, 0.4], [1.5, -0.5], [.nan, 1], []] {
      expectError(
        "randomSplit: expected fractions from 0 to 1 that add up to 1, got \(fractions)"
      ) { _ = try dataset.randomSplit(fractions: fractions, generator: Generator(seed: 1)) }
    }
  }

  @Test func modulesFromOneDataset() throws {
    let dataset = try Dataset(
      images: (0..<20).map(Float.init), dims: [1, 1, 1], labels: (0..<20).map { $0 % 2 })
    let data = try ArrayDataModule(dataset, seed: 3, classes: ["even", "odd"], batchSize: 4)
    #expect(data.sizes == [16, 2, 2])
    #expect(data.config.inputDims == [1, 1, 1] && data.config.outputDims == [1])
    #expect(data.mapping == ["even", "odd"] && data.trainBatches().count == 4)
    #expect(
      !data.isSynthetic && data.fileFolders.isEmpty && ArrayDataModule.name == "ArrayDataModule")
    #expect(
      data.description.hasPrefix(
        "ArrayDataModule Dataset\nNum classes: 2\nMapping: ['even', 'odd']\nDims: (1, 1, 1)\n"
          + "Train/val/test sizes: 16, 2, 2\n"))
    func sources(_ seed: UInt64, _ dataset: Dataset) throws -> [String: String] {
      try ArrayDataModule(dataset, seed: seed, classes: ["even", "odd"]).sources
    }
    #expect(try sources(3, dataset) == data.sources)
    #expect(try sources(4, dataset) != data.sources)
    var pixels = (0..<20).map(Float.init)
    pixels[7] += 0.5
    let changed = try Dataset(
      images: pixels, dims: [1, 1, 1], labels: (0..<20).map { $0 % 2 })
    #expect(try sources(3, changed) != data.sources)
    let otherLabels = try Dataset(
      images: (0..<20).map(Float.init), dims: [1, 1, 1], labels: (0..<20).map { $0 / 10 })
    #expect(try sources(3, otherLabels) != data.sources)
  }

  @Test func modulesRefuseWhatDoesNotFit() throws {
    let dataset = try Dataset(images: [1, 2, 3, 4], dims: [1], labels: [0, 1, 2, 0])
    let wide = try Dataset(images: [1, 2, 3, 4], dims: [2], labels: [0, 1])
    let none = dataset.subset([])
    func module(
      _ train: Dataset, _ val: Dataset, _ classes: [String], batchSize: Int = 1,
      _ augmentation: (any Augmentation)? = nil
    ) throws {
      _ = try ArrayDataModule(
        train: train, val: val, test: none, classes: classes, batchSize: batchSize,
        augmentation: augmentation)
    }
    expectError("expected at least one training image, got none") {
      try module(none, dataset, ["a", "b", "c"])
    }
    expectError("expected training labels below 2, the number of classes, got 2") {
      try module(dataset, none, ["a", "b"])
    }
    expectError(
      "expected validation images of shape [1] with labels of shape [], as in the training set, "
        + "got [2] and []"
    ) { try module(dataset, wide, ["a", "b", "c"]) }
    expectError("expected a batch size of at least 1, got 0") {
      try module(dataset, none, ["a", "b", "c"], batchSize: 0)
    }
    expectError("augmentation: expected images of shape (channels, rows, columns), got [1]") {
      try module(dataset, none, ["a", "b", "c"], RandomAffine(degrees: 5))
    }
    expectError("RandomAffine: expected scale factors above 0, got 0.0 to 1.0") {
      try module(dataset, none, ["a", "b", "c"], RandomAffine(scale: 0...1))
    }
  }

  /// What a package outside of this one writes: five properties, nothing else.
  private struct Halves: DataModule {
    let config = DataConfig(inputDims: [2, 4, 6], outputDims: [1], mapping: ["left", "right"])
    let train, val, test: Dataset
    let batchSize = 8

    init() throws {
      func part(_ count: Int, seed: UInt32) throws -> Dataset {
        var random = RandomState(seed: seed)
        let labels = (0..<count).map { _ in random.integer(below: 2) }
        let images = labels.flatMap { label in
          (0..<48).map { pixel in
            Float(random.uniform(0, 1)) + ((pixel % 6 < 3) == (label == 0) ? 1 : -1)
          }
        }
        return try Dataset(images: images, dims: [2, 4, 6], labels: labels)
      }
      train = try part(48, seed: 1)
      val = try part(12, seed: 2)
      test = try part(12, seed: 3)
    }
  }

  @Test func anOwnModuleTrains() throws {
    let data = try Halves()
    #expect(Halves.name == "Halves" && data.sources == [:] && data.workers == 0)
    var options = MLP.Options.defaults
    (options.fc1, options.fc2) = (8, 8)
    try Generator.$shared.withValue(Generator(seed: 1)) {
      let model = MLP(data.config, options)
      let trainer = Trainer(maxEpochs: 10)
      try trainer.fit(model, data, optimizer: Adam(model.parameters, learningRate: 0.02))
      #expect(try trainer.test(model, data).accuracy == 1)
    }
  }

  @Test func arraysTrain() throws {
    let halves = try Halves()
    let data = try ArrayDataModule(
      train: halves.train, val: halves.val, test: halves.test, classes: ["left", "right"],
      batchSize: 8, workers: 2)
    var options = MLP.Options.defaults
    (options.fc1, options.fc2) = (8, 8)
    try Generator.$shared.withValue(Generator(seed: 1)) {
      let model = MLP(data.config, options)
      let trainer = Trainer(maxEpochs: 10)
      let history = try trainer.fit(
        model, data, optimizer: Adam(model.parameters, learningRate: 0.02))
      #expect(history.count == 10)
      #expect(try trainer.test(model, data).accuracy == 1)
    }
  }
}
