import Foundation
import Lab
import TestSupport
import Testing

struct CheckpointTests {
  private struct Pair: Layer {
    let first = Linear(3, 2)
    let second: Linear

    init(outputs: Int = 4) { second = Linear(2, outputs) }

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try second(first(x)) }
  }

  /// Runs `body` with the name of a file in a folder that is removed afterwards.
  private func withFile(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "weights.safetensors"))
  }

  @Test func loadingRestoresWhatWasSaved() throws {
    try withFile { url in
      let (saved, loaded) = (Pair(), Pair())
      try Checkpoint.save(saved, to: url, metadata: ["epoch": "3"])
      #expect(saved.parameters.map(\.value) != loaded.parameters.map(\.value))
      try Checkpoint.load(url, into: loaded)
      #expect(saved.parameters.map(\.value) == loaded.parameters.map(\.value))
      #expect(try Safetensors(contentsOf: url).metadata == ["epoch": "3"])
    }
  }

  @Test func runningStatisticsAreSavedWithTheWeights() throws {
    try withFile { url in
      let (saved, loaded) = (BatchNorm2d(3), BatchNorm2d(3))
      _ = try saved(Tape().input(pattern([2, 3, 2, 2])))
      try Checkpoint.save(saved, to: url)
      let file = try Safetensors(contentsOf: url)
      #expect(file.tensors.keys.sorted() == ["bias", "running_mean", "running_var", "weight"])
      #expect(file.integers == ["num_batches_tracked": IntTensor([1], shape: [])])
      try Checkpoint.load(url, into: loaded)
      #expect(loaded.running.mean == saved.running.mean)
      #expect(loaded.running.variance == saved.running.variance)
      #expect(loaded.running.batches == 1)
      try Checkpoint.save(Linear(1, 1), to: url)
      let path = url.path(percentEncoded: false)
      expectDataError(
        "\(path): expected weight of shape [3], got [1, 1]; "
          + "is it a checkpoint of the same model with the same options?"
      ) { try Checkpoint.load(url, into: loaded) }
    }
  }

  /// ```python
  /// safetensors.torch.save({"n": torch.tensor([3, -1]), "w": torch.tensor([1.5])})
  /// ```
  @Test func integersAreSavedBesideFloats() throws {
    try withFile { url in
      let header =
        #"{"n":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"#
        + #""w":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}"#
      let padding = String(repeating: " ", count: (8 - header.count % 8) % 8)
      let bytes =
        Data([UInt8(header.count + padding.count), 0, 0, 0, 0, 0, 0, 0])
        + Data((header + padding).utf8)
        + Data([3, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0xff, count: 8))
        + Data([0, 0, 0xc0, 0x3f])
      try Safetensors(tensors: [:]).write(to: url)
      try bytes.write(to: url)
      let file = try Safetensors(contentsOf: url)
      #expect(file.integers == ["n": IntTensor([3, -1])])
      #expect(file.tensors == ["w": Tensor([1.5])])
      try file.write(to: url)
      #expect(try Data(contentsOf: url).suffix(20) == bytes.suffix(20))
      #expect(try Safetensors(contentsOf: url).integers == file.integers)
    }
  }

  /// ```python
  /// safetensors.torch.save({"b": torch.tensor([1.5]), "a": torch.tensor([[1.0, -2.0]])})
  /// ```
  @Test func theBytesAreThoseOfTheFormat() throws {
    try withFile { url in
      let file = Safetensors(tensors: [
        "b": Tensor([1.5]), "a": Tensor([1, -2], shape: [1, 2]),
      ])
      try file.write(to: url)
      let header =
        #"{"a":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]},"#
        + #""b":{"data_offsets":[8,12],"dtype":"F32","shape":[1]}}"#
      let padding = String(repeating: " ", count: (8 - header.count % 8) % 8)
      let length = UInt8(header.count + padding.count)
      let expected =
        Data([length, 0, 0, 0, 0, 0, 0, 0]) + Data((header + padding).utf8)
        + Data([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0xc0, 0x3f])
      #expect(try Data(contentsOf: url) == expected)
    }
  }

  @Test func otherTensorsAreRefusedAndChangeNothing() throws {
    try withFile { url in
      let path = url.path(percentEncoded: false)
      let advice = "is it a checkpoint of the same model with the same options?"
      let model = Pair()
      let before = model.parameters.map(\.value.elements)
      try Checkpoint.save(Pair(outputs: 5), to: url)
      expectDataError(
        "\(path): expected second.weight of shape [4, 2], got [5, 2]; \(advice)"
      ) { try Checkpoint.load(url, into: model) }
      try Checkpoint.save(model.first, to: url)
      expectDataError(
        "\(path): expected first.weight of shape [2, 3], got no such tensor; \(advice)"
      ) { try Checkpoint.load(url, into: model) }
      try Checkpoint.save(model, to: url)
      expectDataError(
        "\(path): has first.bias, which the model does not have; \(advice)"
      ) { try Checkpoint.load(url, into: Named(second: model.second)) }
      #expect(model.parameters.map(\.value.elements) == before)
    }
  }

  private struct Named: Layer {
    let second: Linear
    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try second(x) }
  }

  @Test func damagedFilesAreRefusedInOneLine() throws {
    try withFile { url in
      let path = url.path(percentEncoded: false)
      try Checkpoint.save(Pair(), to: url)
      let whole = try Data(contentsOf: url)
      func expectRefusal(_ bytes: Data, _ text: String) throws {
        try bytes.write(to: url)
        expectDataError("\(path): \(text)") { _ = try Safetensors(contentsOf: url) }
      }
      func file(_ header: String) -> Data {
        Data([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0]) + Data(header.utf8)
      }
      try expectRefusal(Data([1, 2]), "expected a safetensors file, got 2 bytes")
      try expectRefusal(
        Data(repeating: 0xff, count: 16),
        "expected a safetensors file, got a header of 18446744073709551615 bytes in 16")
      try expectRefusal(
        file("{]"), "expected a safetensors file, got a header that is not the JSON of one")
      try expectRefusal(
        file(#"{"x":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}"#),
        "expected floats (F32, F16 or BF16) or 64-bit integers (I64), got F64 in x")
      try expectRefusal(
        file(#"{"x":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}"#),
        "expected data_offsets for shape [4294967296, 4294967296, 4] of x, got [0, 0]")
      // Found by fuzzing: two tensors with the same bytes, a gap, texts that are not metadata.
      try expectRefusal(
        file(#"{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"y":{"a":"b"}}"#),
        "expected dtype, shape and data_offsets of y, got others")
      try expectRefusal(
        file(
          #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
            + #""y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#) + Data(count: 4),
        "expected the bytes of y from 4 on, got [0, 4]")
      try expectRefusal(
        file(#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#) + Data(count: 8),
        "expected the bytes of x from 0 on, got [4, 8]")
      try expectRefusal(
        file(#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#) + Data(count: 8),
        "expected 4 bytes of tensors, got 8")
      try expectRefusal(
        file(#"{"x":{"dtype":"F\n\u001b[2J","shape":[0],"data_offsets":[0,0]}}"#),
        "expected floats (F32, F16 or BF16) or 64-bit integers (I64), got F\u{FFFD}\u{FFFD}[2J in x"
      )
      try expectRefusal(
        whole.dropLast(), "expected data_offsets for shape [4, 2] of second.weight, got [48, 80]")
      try FileManager.default.removeItem(at: url)
      expectDataError("cannot read \(path): no such file or directory") {
        _ = try Safetensors(contentsOf: url)
      }
    }
  }
}
