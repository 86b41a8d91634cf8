import Foundation
import Lab
import ImageFiles
import TestSupport
import Testing

@Suite struct ImageFolderTests {
  let folder: TemporaryFolder
  private var root: URL { folder.url.appending(path: "root", directoryHint: .isDirectory) }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Writes a PNG file whose samples are `first`, `first + 1`, ….
  private func write(
    _ path: String, _ first: Int = 0, height: Int = 2, width: Int = 3, channels: Int = 1
  ) throws {
    let samples = (0..<height * width * channels).map { UInt8(truncatingIfNeeded: first + $0) }
    let image = FileImage(width: width, height: height, channels: channels, bytes: samples)
    try folder.write(Data(try image.encoded()), to: "root/" + path)
  }

  /// Two classes with ten images each; the first sample of an image is its number.
  private func writeClasses() throws {
    for number in 0..<20 {
      try write("\(number < 10 ? "a" : "B")/\(String(format: "%02d", number)).png", 10 * number)
    }
  }

  private func path(_ path: String) -> String {
    root.appending(path: path).path(percentEncoded: false)
  }

  /// The first sample and the label of each image.
  private func contents(_ dataset: Dataset) -> [[Int]] {
    (0..<dataset.count).map {
      [Int((dataset[$0].x.elements[0] * 255).rounded()), dataset[$0].y]
    }
  }

  private func expectError(
    _ text: String, _ kind: DataError.Kind = .unusable, _ body: () throws -> Void
  ) {
    #expect(throws: DataError(kind, text)) { try body() }
  }

  @Test func splitsClassesSortedByName() throws {
    try writeClasses()
    // Hidden files and other files are ignored.
    try folder.write(Data(), to: "root/.DS_Store")
    try folder.write(Data(), to: "root/a/.hidden.png")
    try folder.write(Data(), to: "root/a/notes.txt")
    try folder.write(Data(), to: "root/README.md")
    let data = try ImageFolder(root)
    #expect(data.mapping == ["B", "a"])
    #expect(data.config.inputDims == [1, 2, 3] && data.config.outputDims == [1])
    #expect(data.sizes == [16, 2, 2])
    #expect(ImageFolder.name == "Folder" && !data.isSynthetic)
    #expect(data.fileFolders == [root])
    let all = [data.train, data.val, data.test].flatMap(contents).sorted { $0[0] < $1[0] }
    #expect(all == (0..<20).map { [10 * $0, $0 < 10 ? 1 : 0] })
    #expect(
      data.train.batch(at: [0]).x.elements
        == (0..<6).map { Float(contents(data.train)[0][0] + $0) / 255 })
    // random_split of the sorted files, first those of class B, then those of class a.
    let split = Generator(seed: 42).permutation(of: 20)
    let sorted = (10..<20).map { [10 * $0, 0] } + (0..<10).map { [10 * $0, 1] }
    #expect(contents(data.train) == split.prefix(16).map { sorted[$0] })
    let other = try ImageFolder(root, fractions: (0.25, 0), seed: 7)
    #expect(other.sizes == [15, 5, 0])
  }

  @Test func takesSubfoldersForParts() throws {
    for name in ["train/a/1", "train/a/2", "train/b/1", "val/b/1", "test/a/1", "test/b/9"] {
      try write("\(name).png", name.utf8.reduce(0) { $0 + Int($1) } % 200)
    }
    let data = try ImageFolder(root)
    #expect(data.mapping == ["a", "b"] && data.sizes == [3, 1, 2])
    #expect(contents(data.val).map { $0[1] } == [1])
    #expect(contents(data.test).map { $0[1] } == [0, 1])
    // Without a folder for validation its images come from the training set.
    try FileManager.default.removeItem(at: root.appending(path: "val"))
    let split = try ImageFolder(root, fractions: (0.4, 0.4))
    #expect(split.sizes == [2, 1, 2])
    // A class may be called train.
    try write("train/1.png")
    #expect(throws: DataError.self) { try ImageFolder(root) }
    try FileManager.default.removeItem(at: root)
    try write("train/1.png")
    try write("car/1.png")
    #expect(try ImageFolder(root).mapping == ["car", "train"])
  }

  @Test func readsColor() throws {
    try write("a/1.png", 0, channels: 3)
    try write("b/1.png", 100)
    let data = try ImageFolder(root, color: true, fractions: (0, 0))
    #expect(data.config.inputDims == [3, 2, 3])
    let order = contents(data.train).map { $0[1] }
    let batch = data.train.batch(at: [order.firstIndex(of: 0) ?? 0, order.firstIndex(of: 1) ?? 0])
    // All of red, then green, then blue; a gray image is the same in each.
    let color = (0..<3).flatMap { channel in (0..<6).map { Float(3 * $0 + channel) / 255 } }
    let gray = (0..<3).flatMap { _ in (0..<6).map { Float(100 + $0) / 255 } }
    #expect(batch.x.elements == color + gray)
    #expect(try ImageFolder(root, fractions: (0, 0)).config.inputDims == [1, 2, 3])
  }

  /// ```python
  /// samples = bytes((i * i * 7 + i * 13 + i // width * 31) % 256 for i in range(h * w * channels))
  /// image = PIL.Image.frombytes("L" or "RGB", (width, height), samples)
  /// list(image.resize((new_width, new_height), PIL.Image.BILINEAR).tobytes())  # Pillow 12
  /// ```
  @Test(
    arguments: [
      ([5, 7, 1], [3, 4], [71, 97, 175, 145, 101, 84, 75, 76, 157, 171, 105, 172]),
      (
        [2, 3, 1], [5, 7],
        [
          0, 3, 11, 20, 35, 49, 54, 13, 17, 27, 37, 43, 48, 50, 67, 73, 90, 108, 77, 45, 35, 120,
          128, 152, 178, 110, 42, 19, 133, 142, 168, 195, 118, 41, 15,
        ]
      ),
      (
        [4, 4, 3], [2, 3],
        [
          110, 100, 77, 93, 146, 87, 170, 163, 71, 130, 113, 112, 134, 195, 107, 181, 146, 76,
        ]
      ),
      ([6, 5, 1], [6, 2], [25, 107, 98, 146, 103, 127, 50, 40, 149, 105, 180, 112]),
      ([3, 3, 1], [3, 3], [0, 20, 54, 133, 195, 15, 136, 240, 102]),
      ([9, 1, 1], [2, 3], [88, 88, 88, 80, 80, 80]),
    ] as [([Int], [Int], [UInt8])])
  func resizesAsPillow(from: [Int], to: [Int], expected: [UInt8]) {
    let samples = (0..<from.reduce(1, *)).map {
      UInt8(($0 * $0 * 7 + $0 * 13 + $0 / from[1] * 31) % 256)
    }
    let image = FileImage(width: from[1], height: from[0], channels: from[2], bytes: samples)
    #expect(resize(image, height: to[0], width: to[1]) == expected)
  }

  @Test func imagesOfOtherSizesAreResizedOnRequest() throws {
    try write("a/1.png")
    try write("b/1.png", height: 3, width: 2)
    expectError(
      "\(path("b/1.png")): expected 2×3 pixels (height×width), as \(path("a/1.png")) has, got 3×2; "
        + "give an image size to resize all images to"
    ) { _ = try ImageFolder(root) }
    let data = try ImageFolder(root, imageSize: (height: 4, width: 5), fractions: (0, 0))
    #expect(data.config.inputDims == [1, 4, 5] && data.train.batch(at: [0, 1]).x.shape[2] == 4)
  }

  @Test func inputsOfAModelAreReadAsTrainingImages() throws {
    try write("a/1.png", 7, channels: 3)
    for color in [false, true] {
      let data = try ImageFolder(
        root, color: color, imageSize: (height: 3, width: 5), fractions: (0, 0))
      let x = try ImageFolder.input(
        root.appending(path: "a/1.png"), dims: data.config.inputDims)
      #expect(x.shape == [1, color ? 3 : 1, 3, 5] && x == data.train.batch(at: [0]).x)
    }
    expectError("expected a model of images with 1 or 3 channels, got inputs of shape [2, 3, 3]") {
      _ = try ImageFolder.input(root.appending(path: "a/1.png"), dims: [2, 3, 3])
    }
  }

  /// Some of these files have as many bytes as their image has pixels, so that memory of the file
  /// that was freed too early would be used again for the pixels.
  @Test func filesOfAllSizesAreDecoded() throws {
    for height in 1...150 {
      let samples = (0..<height * 3).map { UInt8($0 / 3) }
      let image = FileImage(width: 1, height: height, channels: 3, bytes: samples)
      let file = Data(try image.encoded())
      let gray = try FileImage(decoding: Array(file), named: "a.png", channels: 1)
      #expect(gray.bytes == (0..<height).map(UInt8.init))
    }
  }

  @Test func sourcesChangeWithTheData() throws {
    try writeClasses()
    let sources = try ImageFolder(root).sources
    #expect(try ImageFolder(root).sources == sources)
    #expect(sources["files"]?.count == 64)
    #expect(sources["settings"] == "1×2×3, val 0.1, test 0.1, seed 42")
    #expect(try ImageFolder(root, seed: 1).sources != sources)
    #expect(try ImageFolder(root, imageSize: (4, 4)).sources != sources)
    try write("a/05.png", 51)
    let changed = try ImageFolder(root).sources["files"]
    #expect(changed != sources["files"])
    try FileManager.default.moveItem(
      at: root.appending(path: "a/05.png"), to: root.appending(path: "a/5.png"))
    #expect(try ImageFolder(root).sources["files"] != changed)
  }

  @Test func refusesFoldersWithoutImages() throws {
    expectError("cannot read \(root.path(percentEncoded: false)): no such file or directory") {
      _ = try ImageFolder(root)
    }
    try folder.write(Data(), to: "root/.hidden")
    let none = "expected a folder for each class with images in it"
    expectError("\(root.path(percentEncoded: false)): \(none), found none") {
      _ = try ImageFolder(root)
    }
    try write("a/1.png")
    try folder.write(Data(), to: "root/b/.hidden.png")
    expectError("\(path("b")): expected PNG or JPEG files, found none") {
      _ = try ImageFolder(root)
    }
    try write("b/1.png")
    try write("loose.png")
    expectError("\(path("loose.png")): \(none), got an image outside of them") {
      _ = try ImageFolder(root)
    }
  }

  @Test func refusesOtherFiles() throws {
    try writeClasses()
    try folder.write(Data(), to: "root/a/1.BMP")
    expectError("\(path("a/1.BMP")): expected a PNG or JPEG file, got .bmp; convert it to PNG") {
      _ = try ImageFolder(root)
    }
    try FileManager.default.removeItem(at: root.appending(path: "a/1.BMP"))
    try write("a/more/1.png")
    expectError("\(path("a/more")): expected PNG or JPEG files, got a folder") {
      _ = try ImageFolder(root)
    }
    try FileManager.default.removeItem(at: root.appending(path: "a/more"))
    // Whichever thread is first, the first damaged file is named.
    for name in ["a/03.png", "a/08.png", "B/19.png"] {
      try folder.write(Data("no image".utf8), to: "root/" + name)
    }
    for _ in 0..<5 {
      expectError(
        "cannot read \(path("B/19.png")): expected a PNG or JPEG file, got something else", .damaged
      ) {
        _ = try ImageFolder(root)
      }
    }
  }

  @Test func refusesPartsThatDoNotFit() throws {
    try write("train/a/1.png")
    try write("val/c/1.png")
    expectError("\(path("val/c")): expected one of the classes in \(path("train")), a, got c") {
      _ = try ImageFolder(root)
    }
    try FileManager.default.removeItem(at: root.appending(path: "val"))
    try write("more/a/1.png")
    expectError(
      "\(path("more")): expected only train, val and test beside \(path("train")), got another folder"
    ) { _ = try ImageFolder(root) }
  }

  @Test func refusesSettingsOutOfRange() throws {
    try writeClasses()
    expectError("expected a validation fraction from 0 to below 1, got 1.0") {
      _ = try ImageFolder(root, fractions: (1, 0))
    }
    expectError("expected a test fraction from 0 to below 1, got nan") {
      _ = try ImageFolder(root, fractions: (0, .nan))
    }
    expectError(
      "expected validation and test fractions that add up to less than 1, got 0.5 and 0.5"
    ) { _ = try ImageFolder(root, fractions: (0.5, 0.5)) }
    expectError("expected an image size from 1 to 65535, got 0×5") {
      _ = try ImageFolder(root, imageSize: (0, 5))
    }
    expectError("expected a batch size of at least 1, got 0") {
      _ = try ImageFolder(root, batchSize: 0)
    }
    #expect(throws: DataError.self) { try ImageFolder(root, imageSize: (65_535, 65_535)) }
  }

  @Test func resultsDoNotDependOnTheNumberOfWorkersOrThreads() throws {
    try writeClasses()
    let (one, three) = try (
      ImageFolder(root, batchSize: 3), ImageFolder(root, batchSize: 3, workers: 3)
    )
    let batches = [one, three].map { data in
      data.trainBatches(shuffledBy: Generator(seed: 5)).map(\.x)
    }
    #expect(batches[0] == batches[1])
    #expect(one.sources == three.sources)
  }

  @Test func aFolderTrains() throws {
    // Bright above or below.
    for number in 0..<40 {
      let isAbove = number % 2 == 0
      let samples = (0..<16).map { pixel in
        UInt8(20 + (pixel * 7 + number * 13) % 40 + ((pixel < 8) == isAbove ? 180 : 0))
      }
      let image = FileImage(width: 4, height: 4, channels: 1, bytes: samples)
      try folder.write(
        Data(try image.encoded()), to: "root/\(isAbove ? "above" : "below")/\(number).png")
    }
    let data = try ImageFolder(root, batchSize: 8)
    var options = MLP.Options.defaults
    (options.fc1, options.fc2) = (8, 8)
    try Generator.$shared.withValue(Generator(seed: 1)) {
      let model = MLP(data.config, options)
      let trainer = Trainer(maxEpochs: 20)
      try trainer.fit(model, data, optimizer: Adam(model.parameters, learningRate: 0.02))
      #expect(try trainer.test(model, data).accuracy == 1)
    }
  }
}
