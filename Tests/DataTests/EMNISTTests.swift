import Foundation
import Lab
import TestSupport
import Testing

@Suite struct EMNISTTests {
  private func labels(_ dataset: Dataset) -> [Int] {
    (0..<dataset.count).map { dataset.label(at: $0) }
  }

  private func counts(_ dataset: Dataset) -> [Int] {
    let counts = labels(dataset).reduce(into: [Int](repeating: 0, count: 66)) { $0[$1] += 1 }
    return Array(counts.dropFirst(4))
  }

  @Test func theMappingIsThatOfTheCourse() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    let data = try EMNIST(DataOptions(folder: folder.folder, report: Lines().add))
    #expect(data.mapping.count == 83)
    #expect(
      data.mapping.joined()
        == "<B><S><E><P>0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        + " !\"#&'()*+,-./:;?")
    #expect(data.config.inputDims == [1, 28, 28])
    #expect(data.config.outputDims == [1])
  }

  // The course's steps on the fixture's labels y (+ 4): per split
  // np.random.seed(42); n = int(np.bincount(y).mean())
  // s = np.concatenate([np.unique(np.random.choice(np.where(y == l)[0], n)) for l in np.unique(y)])
  // torch.randperm(len(s), generator=torch.Generator().manual_seed(42)), cut at int(.8 * len(s))
  @Test func preparesAnArchiveAsTheCourse() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    let lines = Lines()
    let data = try EMNIST(DataOptions(folder: folder.folder, report: lines.add))
    #expect(data.fileFolders == [folder.url.appending(path: "processed/emnist/")])
    #expect(!data.isSynthetic)
    #expect(data.sizes == [252, 64, 173])
    #expect(Array(labels(data.train).prefix(8)) == [9, 43, 21, 12, 38, 20, 39, 60])
    #expect(
      counts(data.trainval) == [
        7, 8, 8, 8, 7, 7, 8, 8, 7, 8, 4, 4, 4, 3, 4, 5, 5, 5, 5, 4, 5, 5, 5, 4, 5, 6, 6, 6, 6, 5, 3,
        4, 5, 6, 4, 4, 5, 5, 4, 4, 4, 4, 5, 5, 3, 5, 5, 5, 5, 5, 3, 5, 6, 5, 4, 5, 4, 5, 4, 5, 4, 4,
      ])
    #expect(labels(data.test).prefix(5) == [4, 4, 4, 4, 5])
    // Upright, image n of class c has c + 1 at row n % 28 of column 0.
    let first = [447, 177, 150, 277, 22, 566, 331, 295]
    let x = data.train.batch(at: Array(0..<8)).x
    for (place, n) in first.enumerated() {
      let image = x[place]
      #expect(image.elements[n % 28 * 28] == Float(labels(data.train)[place] - 3) / 255)
      #expect(image.elements.filter { $0 > 0 }.count == 1)
    }
    #expect(lines.all.last == "unpacking and balancing EMNIST, once")
    #expect(
      try folder.names(in: "processed/emnist") == [
        ".lock", "contents.json", "test-all-labels-idx1-ubyte", "test-images-idx3-ubyte",
        "test-labels-idx1-ubyte", "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
      ])
  }

  @Test func aSecondStartUsesThePreparedFiles() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    let first = try EMNIST(DataOptions(folder: folder.folder, report: Lines().add))
    for path in ["downloaded", "archive"] {
      try FileManager.default.removeItem(at: folder.url.appending(path: path))
    }
    let lines = Lines()
    let second = try EMNIST(DataOptions(folder: folder.folder, report: lines.add))
    #expect(lines.all == [])
    for (a, b) in [(first.train, second.train), (first.val, second.val), (first.test, second.test)]
    {
      let everything = Array(0..<a.count)
      #expect(a.batch(at: everything).x == b.batch(at: everything).x)
      #expect(a.batch(at: everything).y == b.batch(at: everything).y)
    }
  }

  @Test func anotherArchiveIsPreparedAgain() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    _ = try EMNIST(DataOptions(folder: folder.folder, report: Lines().add))
    // A zip archive may be followed by any bytes, which change its digest.
    try EMNISTFixture.install(in: folder, bytes: EMNISTFixture.zip + Data("\n".utf8))
    let lines = Lines()
    _ = try EMNIST(DataOptions(folder: folder.folder, report: lines.add))
    #expect(lines.all.last == "unpacking and balancing EMNIST, once")
  }

  @Test func damagedFilesArePreparedAgain() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    _ = try EMNIST(DataOptions(folder: folder.folder, report: Lines().add))
    let path = "processed/emnist/test-images-idx3-ubyte"
    let images = try folder.read(path)
    for damaged in [images.dropLast(), Data()] {
      try folder.write(Data(damaged), to: path)
      _ = try EMNIST(DataOptions(folder: folder.folder, report: Lines().add))
      #expect(try folder.read(path) == images)
    }
    try folder.write(Data("{".utf8), to: "processed/emnist/contents.json")
    _ = try EMNIST(DataOptions(folder: folder.folder, report: Lines().add))
    #expect(try folder.read("processed/emnist/contents.json").count > 100)
  }

  @Test func severalCanPrepareAtOnce() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    let lines = Lines()
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      do {
        let data = try EMNIST(DataOptions(folder: folder.folder, report: lines.add))
        #expect(data.train.count == 252)
      } catch {
        Issue.record(error)
      }
    }
    #expect(lines.all.filter { $0.hasPrefix("unpacking") }.count == 1)
  }

  @Test(arguments: [DataSource.auto, .download])
  func aDamagedArchiveIsAnErrorWhateverTheSource(source: DataSource) throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder, bytes: EMNISTFixture.zip.prefix(1000))
    let error = #expect(throws: DataError.self) {
      try EMNIST(DataOptions(source: source, folder: folder.folder, report: Lines().add))
    }
    #expect(error?.kind == .damaged)
    #expect(error?.description.contains("matlab.zip") == true)
    #expect(!folder.exists("processed/emnist/contents.json"))
  }

  @Test func printsTheTextOfTheCourse() throws {
    let folder = try TemporaryFolder()
    try EMNISTFixture.install(in: folder)
    let data = try EMNIST(
      DataOptions(batchSize: 252, folder: folder.folder, report: Lines().add))
    let lines = data.description.split(separator: "\n").map(String.init)
    #expect(lines.count == 7)
    #expect(lines[0] == "EMNIST Dataset")
    #expect(lines[1] == "Num classes: 83")
    #expect(lines[2].hasPrefix("Mapping: ['<B>', '<S>', '<E>', '<P>', '0', '1', "))
    #expect(
      lines[2].hasSuffix(
        #"'z', ' ', '!', '"', '#', '&', "'", '(', ')', '*', '+', ',', '-', '.', '/', ':', ';', '?']"#
      ))
    #expect(lines[3] == "Dims: (1, 28, 28)")
    #expect(lines[4] == "Train/val/test sizes: 252, 64, 173")
    #expect(
      lines[5]
        == "Batch x stats: shape (252, 1, 28, 28), type float32, min 0.0000, mean 0.0001, "
        + "std 0.0048, max 0.2431")
    #expect(lines[6] == "Batch y stats: shape (252,), type int64, min 4, max 65")
    #expect(data.description == data.description)
  }

  @Test func syntheticDataArePreparedTheSameWay() throws {
    let folder = try TemporaryFolder()
    let lines = Lines()
    let options = DataOptions(source: .synthetic, folder: folder.folder, report: lines.add)
    let data = try EMNIST(options)
    #expect(data.isSynthetic)
    #expect(
      data.description.hasPrefix("SYNTHETIC EMNIST Dataset (handwriting drawn by this program)\n"))
    #expect(counts(data.trainval).allSatisfy { $0 > 500 })
    #expect(counts(data.test).allSatisfy { $0 > 100 })
    #expect(data.train.count == Int(0.8 * Double(data.trainval.count)))
    #expect(!folder.exists("downloaded"))
    #expect(!folder.exists("processed/emnist"))
    #expect(lines.all.count == 1)
    let again = try EMNIST(options)
    #expect(lines.all.count == 1)
    let some = Array(0..<100)
    #expect(again.train.batch(at: some).x == data.train.batch(at: some).x)
  }
}
