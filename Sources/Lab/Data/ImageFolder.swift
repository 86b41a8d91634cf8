import Digests
import Foundation
import Kernels
import LabRandom
import LabTensors
import ImageFiles
import Synchronization

/// PNG and JPEG files in one folder per class, as for torchvision's `ImageFolder`.
///
/// ```text
/// shapes/circle/001.png        classes are sorted by name: circle is 0, square is 1
/// shapes/circle/002.jpg
/// shapes/square/a.png
/// ```
///
/// ```swift
/// let data = try ImageFolder(URL(filePath: "shapes"), imageSize: (height: 32, width: 32))
/// data.config.inputDims  // [1, 32, 32]
/// data.mapping           // ["circle", "square"]
/// ```
///
/// The images are split at random into training, validation and test set. If the folder has a
/// sub-folder `train` with folders in it, that is the training set, and sub-folders `val` and `test`,
/// if they exist, are the other two; what does not exist is split off from the training set.
///
/// Pixels are numbers from 0 to 1, gray or RGB. All images are decoded at once and take one byte of
/// memory per element. They are turned upright as their EXIF data say. Hidden files and files other
/// than images are ignored.
public struct ImageFolder: DataModule {
  public static let name = "Folder"

  public let config: DataConfig
  public let train: Dataset
  public let val: Dataset
  public let test: Dataset
  public let batchSize: Int
  public let workers: Int
  public let augmentation: (any Augmentation)?
  /// The SHA-256 digest of the files' names and contents, and the settings.
  public let sources: [String: String]
  public let fileFolders: [URL]

  /// - Parameters:
  ///   - folder: The folder of the classes' folders.
  ///   - color: Whether images are RGB; otherwise they are gray.
  ///   - imageSize: The size that all images are resized to, bilinearly with antialiasing; if nil,
  ///     they must have the same size.
  ///   - fractions: The fractions of the images that are split off for validation and test.
  ///   - seed: The seed of the split.
  ///   - batchSize: The number of images in a batch.
  ///   - workers: The number of threads that gather batches in advance.
  ///   - augmentation: The random transformation of training images.
  /// - Throws: ``DataError`` that names the file or folder that cannot be used.
  public init(
    _ folder: URL, color: Bool = false, imageSize: (height: Int, width: Int)? = nil,
    fractions: (val: Double, test: Double) = (0.1, 0.1), seed: UInt64 = 42, batchSize: Int = 128,
    workers: Int = 0, augmentation: (any Augmentation)? = nil
  ) throws {
    try check(batchSize: batchSize, augmentation)
    fileFolders = [folder]
    for (name, fraction) in [("validation", fractions.val), ("test", fractions.test)] {
      guard (0..<1).contains(fraction) else {
        throw DataError(
          .unusable, "expected a \(name) fraction from 0 to below 1, got \(fraction)")
      }
    }
    guard fractions.val + fractions.test < 1 else {
      throw DataError(
        .unusable,
        "expected validation and test fractions that add up to less than 1, got \(fractions.val) "
          + "and \(fractions.test)")
    }
    if let size = imageSize,
      !((1...65_535).contains(size.height) && (1...65_535).contains(size.width))
    {
      throw DataError(
        .unusable, "expected an image size from 1 to 65535, got \(size.height)×\(size.width)")
    }
    let listing = try ImageListing(folder)
    let images = try DecodedImages(listing.files, color: color, size: imageSize)
    let dataset = try Dataset(
      bytes: images.bytes, dims: images.dims, labels: listing.files.map(\.label))
    let parts = try listing.split(dataset, fractions, generator: Generator(seed: seed))
    guard parts[0].count > 0 else {
      throw DataError(
        .unusable,
        "\(folder.path(percentEncoded: false)): expected at least one training image, got none")
    }
    (train, val, test) = (parts[0], parts[1], parts[2])
    config = DataConfig(inputDims: images.dims, outputDims: [1], mapping: listing.classes)
    (self.batchSize, self.workers, self.augmentation) = (batchSize, workers, augmentation)
    let size = images.dims.map(String.init).joined(separator: "×")
    sources = [
      "files": images.digest,
      "settings": "\(size), val \(fractions.val), test \(fractions.test), seed \(seed)",
    ]
  }
}

extension ImageFolder {
  /// Reads a PNG or JPEG file as an input of a model that was trained on a folder of images.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - dims: The model's input: 1 or 3 channels, rows, columns. The image is resized to them.
  /// - Returns: The image, of shape (1, channels, rows, columns), with pixels from 0 to 1.
  /// - Throws: ``DataError`` if the file cannot be read, or `dims` are not those of an image.
  package static func input(_ url: URL, dims: [Int]) throws -> Tensor {
    guard dims.count == 3, [1, 3].contains(dims[0]) else {
      throw DataError(
        .unusable, "expected a model of images with 1 or 3 channels, got inputs of shape \(dims)")
    }
    let image = try DecodedImages.read(url, dims[0]).image
    let bytes = planar(resize(image, height: dims[1], width: dims[2]), channels: dims[0])
    return try Dataset(bytes: bytes, dims: dims, labels: [0]).batch(at: [0]).x
  }
}

/// The image files below a folder.
private struct ImageListing {
  struct File {
    let url: URL
    /// The path below the root, for the digest.
    let path: String
    let label: Int
    let part: Part
  }

  /// A part that has a sub-folder of its own; `all` if there are no such sub-folders.
  enum Part: String, CaseIterable {
    case all, train, val, test
  }

  /// The classes' names, sorted.
  let classes: [String]
  private(set) var files: [File] = []

  init(_ root: URL) throws {
    let names = try Self.names(in: root)
    let isSplit = try names.contains { name in
      guard name == Part.train.rawValue, isFolder(root, name) else { return false }
      let train = root.appending(path: name)
      return try Self.names(in: train).contains { isFolder(train, $0) }
    }
    guard isSplit else {
      classes = try Self.classes(in: root)
      try add(root, "", .all)
      return
    }
    let parts = Part.allCases.filter { $0 != .all && names.contains($0.rawValue) }
    if let other = names.first(where: {
      isFolder(root, $0) && Part(rawValue: $0).map(parts.contains) != true
    }) {
      throw DataError(
        .unusable,
        "\(path(root, other)): expected only train, val and test beside \(path(root, "train")), got "
          + "another folder")
    }
    let train = root.appending(path: Part.train.rawValue)
    classes = try Self.classes(in: train)
    for part in parts {
      let folder = root.appending(path: part.rawValue)
      for name in try Self.classes(in: folder) where !classes.contains(name) {
        throw DataError(
          .unusable,
          "\(path(folder, name)): expected one of the classes in \(path(root, "train")), "
            + "\(classes.joined(separator: ", ")), got \(name)")
      }
      try add(folder, part.rawValue + "/", part)
    }
  }

  /// Splits a data set of all files into training, validation and test set.
  func split(
    _ dataset: Dataset, _ fractions: (val: Double, test: Double), generator: Generator
  ) throws -> [Dataset] {
    func part(_ part: Part) -> Dataset? {
      let positions = files.indices.filter { files[$0].part == part }
      return positions.isEmpty ? nil : dataset.subset(positions)
    }
    let (val, test) = (part(.val), part(.test))
    let (valFraction, testFraction) = (
      val == nil ? fractions.val : 0, test == nil ? fractions.test : 0
    )
    let rest = try (part(.train) ?? dataset).randomSplit(
      fractions: [1 - valFraction - testFraction, valFraction, testFraction], generator: generator)
    return [rest[0], val ?? rest[1], test ?? rest[2]]
  }

  private mutating func add(_ folder: URL, _ prefix: String, _ part: Part) throws {
    for (label, name) in classes.enumerated() where isFolder(folder, name) {
      let inside = folder.appending(path: name, directoryHint: .isDirectory)
      var count = 0
      for file in try Self.names(in: inside) {
        guard !isFolder(inside, file) else {
          throw DataError(
            .unusable, "\(path(inside, file)): expected PNG or JPEG files, got a folder")
        }
        guard let format = Self.imageFormat(of: file) else { continue }
        guard ["png", "jpg", "jpeg"].contains(format) else {
          throw DataError(
            .unusable,
            "\(path(inside, file)): expected a PNG or JPEG file, got .\(format); convert it to PNG")
        }
        files.append(
          File(
            url: inside.appending(path: file), path: "\(prefix)\(name)/\(file)", label: label,
            part: part))
        count += 1
      }
      guard count > 0 else {
        throw DataError(.unusable, "\(path(folder, name)): expected PNG or JPEG files, found none")
      }
    }
  }

  /// The classes' folders in a folder.
  private static func classes(in folder: URL) throws -> [String] {
    let names = try names(in: folder)
    if let file = names.first(where: { imageFormat(of: $0) != nil && !isFolder(folder, $0) }) {
      throw DataError(
        .unusable,
        "\(path(folder, file)): expected a folder for each class with images in it, got an image "
          + "outside of them")
    }
    let classes = names.filter { isFolder(folder, $0) }
    guard !classes.isEmpty else {
      throw DataError(
        .unusable,
        "\(folder.path(percentEncoded: false)): expected a folder for each class with images in it, "
          + "found none")
    }
    return classes
  }

  /// What is in a folder except hidden files, in the order that Python's `sorted` gives.
  private static func names(in folder: URL) throws -> [String] {
    try withFile(folder, "read") {
      try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        .filter { !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
  }

  /// The ending of an image's file name; nil for other files.
  private static func imageFormat(of name: String) -> String? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let ending = name[name.index(after: dot)...].lowercased()
    return ["png", "jpg", "jpeg", "bmp", "gif", "pgm", "ppm", "tif", "tiff", "webp"]
      .contains(ending) ? ending : nil
  }
}

private func path(_ folder: URL, _ name: String) -> String {
  folder.appending(path: name).path(percentEncoded: false)
}

private func isFolder(_ parent: URL, _ name: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path(parent, name), isDirectory: &isFolder)
    && isFolder.boolValue
}

/// The pixels of some image files, all of one size.
private struct DecodedImages {
  /// Channels, rows, columns.
  let dims: [Int]
  /// All images in row-major order.
  let bytes: Data
  /// The SHA-256 digest of the files' names and contents.
  let digest: String

  /// Decodes the files on all threads.
  ///
  /// - Throws: ``DataError`` about the first file that cannot be used.
  init(_ files: [ImageListing.File], color: Bool, size: (height: Int, width: Int)?) throws {
    let channels = color ? 3 : 1
    let first = try Self.read(files[0].url, channels).image
    let (height, width) = size ?? (first.height, first.width)
    let dims = [channels, height, width]
    let pixels = channels * height * width
    let (total, overflow) = pixels.multipliedReportingOverflow(by: files.count)
    let memory = ProcessInfo.processInfo.physicalMemory
    guard !overflow, total < memory else {
      throw DataError(
        .unusable,
        "\(files.count) images of \(dims.map(String.init).joined(separator: "×")) do not fit into "
          + "the memory of \(memory >> 20) MB; give a smaller image size")
    }
    let results = Mutex(
      (
        bytes: Data(count: total), sums: [String](repeating: "", count: files.count),
        failure: (index: Int, error: any Error)?.none
      ))
    parallel(count: files.count) { index in
      guard results.withLock({ ($0.failure?.index ?? .max) > index }) else { return }
      do {
        let (image, sum) = try Self.read(files[index].url, channels)
        guard size != nil || (image.height, image.width) == (height, width) else {
          throw DataError(
            .unusable,
            "\(files[index].url.path(percentEncoded: false)): expected \(height)×\(width) pixels "
              + "(height×width), as \(files[0].url.path(percentEncoded: false)) has, got "
              + "\(image.height)×\(image.width); give an image size to resize all images to")
        }
        let planes = planar(resize(image, height: height, width: width), channels: channels)
        results.withLock {
          $0.bytes.replaceSubrange(index * pixels..<(index + 1) * pixels, with: planes)
          $0.sums[index] = sum
        }
      } catch {
        results.withLock {
          if index < $0.failure?.index ?? .max { $0.failure = (index, error) }
        }
      }
    }
    let (bytes, sums, failure) = results.withLock { $0 }
    if let failure { throw failure.error }
    let sum = try SHA256()
    for (file, contents) in zip(files, sums) {
      sum.update(Data("\(file.path)\0\(contents)\n".utf8))
    }
    (self.dims, self.bytes, digest) = (dims, bytes, try sum.hexadecimal)
  }

  static func read(_ url: URL, _ channels: Int) throws -> (image: FileImage, sum: String) {
    let file = try withFile(url, "read") { try Data(contentsOf: url) }
    let sum = try SHA256()
    sum.update(file)
    do {
      let image = try FileImage(
        decoding: Array(file), named: url.path(percentEncoded: false), channels: channels)
      return (image, try sum.hexadecimal)
    } catch let error as FileImageError {
      throw DataError(.damaged, error.description)
    }
  }
}

/// The samples of an image channel by channel.
private func planar(_ samples: [UInt8], channels: Int) -> [UInt8] {
  guard channels > 1 else { return samples }
  return (0..<channels).flatMap { channel in
    stride(from: channel, to: samples.count, by: channels).map { samples[$0] }
  }
}

/// Resizes an image as Pillow does with its bilinear filter, and so torchvision's `Resize`: when an
/// image shrinks, the filter covers all source pixels (antialiasing).
///
/// - Returns: The samples of the new image; the channels of a pixel are neighbours.
/// - Complexity: O(height · width · max(1, shrinking factor))
package func resize(_ image: FileImage, height: Int, width: Int) -> [UInt8] {
  let across = resample(
    image.bytes, outer: image.height, from: image.width, to: width, inner: image.channels)
  return resample(
    across, outer: 1, from: image.height, to: height, inner: width * image.channels)
}

/// Resamples the middle dimension of an array of shape (outer, from, inner).
private func resample(
  _ source: [UInt8], outer: Int, from length: Int, to newLength: Int, inner: Int
) -> [UInt8] {
  guard length != newLength else { return source }
  let step = Double(length) / Double(newLength)
  let reach = max(1, step)
  var result = [UInt8](repeating: 0, count: outer * newLength * inner)
  for target in 0..<newLength {
    let center = (Double(target) + 0.5) * step
    let first = max(0, Int(center - reach + 0.5))
    let last = min(length, Int(center + reach + 0.5))
    let weights = (first..<last).map { source -> Double in
      max(0, 1 - abs((Double(source) + 0.5 - center) / reach))
    }
    let sum = weights.reduce(0, +)
    // Fixed-point weights of 22 bits, as in Pillow, so that results are the same bytes.
    let fixed = weights.map { weight -> Int in
      Int((weight / sum * 4_194_304).rounded(.toNearestOrAwayFromZero))
    }
    for row in 0..<outer {
      for offset in 0..<inner {
        var value = 1 << 21
        for (index, weight) in zip(first..., fixed) {
          value += Int(source[(row * length + index) * inner + offset]) * weight
        }
        result[(row * newLength + target) * inner + offset] = UInt8(
          clamping: value >> 22)
      }
    }
  }
  return result
}
