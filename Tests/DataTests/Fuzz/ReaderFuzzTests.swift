import Foundation
import Fuzzing
import Lab
import TestSupport
import Testing

/// Damaged files end in one line, whatever the damage; `make fuzz` tries many more.
struct ReaderFuzzTests {
  /// Runs a reader over damaged files and expects an error of the right kind from it, or none.
  private func fuzz(
    _ name: String, _ seeds: [[UInt8]], kinds: [DataError.Kind] = [.damaged],
    read: (URL) throws -> Void
  ) throws {
    // Whole files can be read.
    let folder = try TemporaryFolder()
    for seed in seeds {
      try folder.write(Data(seed), to: "seed")
      try read(folder.url.appending(path: "seed"))
    }
    let outcome = try Fuzzer(name).run(seeds) { file in
      do {
        try read(file)
      } catch let error as DataError where kinds.contains(error.kind) {
        throw error
      } catch {
        Issue.record("\(name): \(error)")
        throw error
      }
    }
    #expect(outcome.refused > 100)
    #expect(outcome.complaints == [])
  }

  @Test func safetensors() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "a")
    func bytes(_ tensors: [String: Tensor], _ metadata: [String: String] = [:]) throws -> [UInt8] {
      try Safetensors(tensors: tensors, metadata: metadata).write(to: file)
      return Array(try Data(contentsOf: file))
    }
    let model = [
      "conv1.weight": Tensor([Float](repeating: 0.5, count: 18), shape: [2, 1, 3, 3]),
      "conv1.bias": Tensor([1, 2]), "fc.weight": Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2]),
    ]
    let seeds = try [
      bytes(model, ["model_class": "CNN", "epoch": "4"]), bytes(model), bytes([:]),
      bytes(["a": Tensor([], shape: [0, 7])]),
    ]
    try fuzz("safetensors", seeds) { _ = try Safetensors(contentsOf: $0) }
  }

  @Test func idx() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "a")
    let seeds = try [[2, 3, 4], [1, 28, 28], [0, 5, 5]].map { shape in
      try IDX.write([UInt8](repeating: 7, count: shape.reduce(1, *)), shape: shape, to: file)
      return Array(try Data(contentsOf: file))
    }
    try fuzz("idx", seeds) { file in
      let array = try IDX(mapping: file, rank: 3)
      #expect(array.elements.count == array.shape.reduce(1, *))
    }
  }

  @Test func zip() throws {
    try fuzz("zip", [Array(BrownFixture.zip)]) { file in
      _ = try BrownCorpus.courseText(of: file)
      let target = file.deletingLastPathComponent().appending(path: "out")
      try Archive.extract("ca01", from: file, to: target, limit: 1 << 20)
      try FileManager.default.removeItem(at: target)
    }
  }

  @Test func gzip() throws {
    let base64 = "H4sIAAAAAAACA8tIzcnJ11HIQKK4AOdCblIUAAAA"
    let seed = [UInt8](try #require(Data(base64Encoded: base64)))
    try fuzz("gzip", [seed]) { file in
      let target = file.deletingLastPathComponent().appending(path: "out")
      try Archive.gunzip(file, to: target, limit: 1 << 20)
      try FileManager.default.removeItem(at: target)
    }
  }

  @Test func mat() throws {
    try fuzz("mat", [MATFixture.bytes(), MATFixture.bytes(images: 2)]) { file in
      let archive = try EMNISTArchive(file)
      for part in CharacterFiles.Part.allCases {
        let labels = try archive.labels(part)
        _ = try archive.upright(part, [0], of: labels.count)
      }
    }
  }

  @Test func packedMAT() throws {
    let folder = try TemporaryFolder()
    try folder.write(EMNISTFixture.zip, to: "a.zip")
    let seed = folder.url.appending(path: "a.mat")
    try Archive.extract(
      "emnist-byclass.mat", from: folder.url.appending(path: "a.zip"), to: seed, limit: 1 << 20)
    try fuzz("packed-mat", [Array(try Data(contentsOf: seed))]) { file in
      let archive = try EMNISTArchive(file)
      for part in CharacterFiles.Part.allCases {
        let labels = try archive.labels(part)
        _ = try archive.upright(part, [0], of: labels.count)
      }
    }
  }

  @Test func characterModel() throws {
    let seeds = try [("a b ab aba cab ", 3), ("the cat sat on the mat ", 6), ("ab", 1)].map {
      Array(try CharacterModel($0.0, order: $0.1).fileBytes)
    }
    try fuzz("character-model", seeds) { _ = try CharacterModel(contentsOf: $0) }
    // The checksum must not be all that keeps damage from doing harm.
    try fuzz("character-model-unchecked", seeds) { file in
      let model = try CharacterModel(
        Data(contentsOf: file), named: file.path(), checksDigest: false)
      _ = model.perplexity(of: ["the cat".utf8])
    }
  }

  @Test func metadata() throws {
    let sum = String(repeating: "0123456789abcdef", count: 4)
    let seeds = [
      #"{"files": [{"filename": "a.zip", "sha256": "\#(sum)", "urls": ["https://a.org/a", "file:///a"]}]}"#,
      #"{"files": [], "more": {"a": [1, 2.5e3, true, null, "b\u00e4\n"]}}"#,
    ].map { Array($0.utf8) }
    let folder = try TemporaryFolder()
    try folder.write(Data(), to: "raw/x/metadata.json")
    try fuzz("metadata", seeds, kinds: [.unusable]) { file in
      try folder.write(try Data(contentsOf: file), to: "raw/x/metadata.json")
      _ = try Metadata.load("x", in: folder.folder)
    }
  }
}
