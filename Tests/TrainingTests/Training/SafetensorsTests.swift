import Foundation
import Lab
import TestSupport
import Testing

/// Checkpoints of other programs, damaged ones, and those that are named by a folder.
struct SafetensorsTests {
  private struct Pair: Layer {
    let first = Linear(3, 2)
    let second = Linear(2, 4)

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try second(first(x)) }
  }

  private func withFile(_ body: (URL) throws -> Void) throws {
    let folder = try TemporaryFolder()
    try body(folder.url.appending(path: "weights.safetensors"))
  }

  // MARK: Files of other programs

  /// ```python
  /// {"__metadata__": None, "w": …}
  /// ```
  @Test func metadataMayBeNull() throws {
    try withFile { url in
      try write(
        #"{"__metadata__":null,"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        [0, 0, 0xc0, 0x3f], to: url)
      let file = try Safetensors(contentsOf: url)
      #expect(file.tensors == ["w": Tensor([1.5])] && file.metadata == [:])
      try write(#"{"w":null}"#, [], to: url)
      expectDataError(
        "\(url.path(percentEncoded: false)): expected the entry of w, got null"
      ) { _ = try Safetensors(contentsOf: url) }
    }
  }

  /// A small file must not ask for strides that no `Int` holds.
  @Test(arguments: [
    "[0,1,1099511627776,1099511627776]", "[1099511627776,1099511627776,0]",
    "[0,9223372036854775807]", "[4611686018427387904,4,0]",
  ])
  func shapesWhoseProductIsTooLargeAreRefused(shape: String) throws {
    try withFile { url in
      try write(#"{"w":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,0]}}"#, [], to: url)
      let error = #expect(throws: DataError.self) { try Safetensors(contentsOf: url) }
      #expect(error?.description.contains("expected data_offsets for shape") == true)
    }
  }

  /// ```python
  /// w = torch.tensor([1.0, -2.5, 65504.0, 2**-24, 2**-14, math.inf, 0.1])
  /// safetensors.torch.save({"w": w.half()})
  /// ```
  @Test func floatsOf16BitsAreReadAndWritten() throws {
    let numbers: [Float] = [1, -2.5, 65504, 0x1p-24, 0x1p-14, .infinity, 0.1]
    let float16: [UInt16] = [0x3c00, 0xc100, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x2e66]
    let bfloat16: [UInt16] = [0x3f80, 0xc020, 0x4780, 0x3380, 0x3880, 0x7f80, 0x3dcd]
    for (type, bits) in [(Safetensors.FloatType.float16, float16), (.bfloat16, bfloat16)] {
      try withFile { url in
        let bytes = bits.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        try Safetensors(tensors: ["w": Tensor(numbers)]).write(to: url, floats: type)
        #expect(try [UInt8](Data(contentsOf: url).suffix(14)) == bytes)
        let read = try #require(try Safetensors(contentsOf: url).tensors["w"])
        // What was rounded once stays as it is.
        try Safetensors(tensors: ["w": read]).write(to: url, floats: type)
        #expect(try [UInt8](Data(contentsOf: url).suffix(14)) == bytes)
        for (number, back) in zip(numbers, read.elements) {
          #expect(number == back || abs(number - back) <= abs(number) / 256)
        }
      }
    }
  }

  /// All numbers of 16 bits survive being read and written.
  @Test(arguments: [Safetensors.FloatType.float16, .bfloat16])
  func eachNumberOf16BitsIsKept(type: Safetensors.FloatType) throws {
    try withFile { url in
      let bits = (0...UInt16.max).filter { pattern in
        // There are many NaN.
        let isNaN =
          type == .float16 ? pattern & 0x7fff > 0x7c00 : pattern & 0x7fff > 0x7f80
        return !isNaN
      }
      let bytes = bits.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      try write(
        #"{"w":{"dtype":"\#(type.rawValue)","shape":[\#(bits.count)],"#
          + #""data_offsets":[0,\#(bytes.count)]}}"#, bytes, to: url)
      let file = try Safetensors(contentsOf: url)
      try file.write(to: url, floats: type)
      #expect(try [UInt8](Data(contentsOf: url).suffix(bytes.count)) == bytes)
    }
  }

  /// Of two equally near numbers the even one, as everywhere in IEEE 754.
  @Test func roundingToFloatsOf16Bits() throws {
    try withFile { url in
      let numbers: [Float] = [1 + 0x1p-11, 1 + 0x3p-11, 65_519.99, 65_520, 0x1p-25, 0x1.8p-25]
      try Safetensors(tensors: ["w": Tensor(numbers)]).write(to: url, floats: .float16)
      let read = try #require(try Safetensors(contentsOf: url).tensors["w"])
      #expect(read.elements == [1, 1 + 0x1p-9, 65_504, .infinity, 0, 0x1p-24])
    }
  }

  /// Strict readers expect each tensor at a multiple of its elements' size.
  @Test func tensorsStartAtMultiplesOfTheirElements() throws {
    try withFile { url in
      let file = Safetensors(
        tensors: ["a": Tensor([1, 2, 3]), "c": Tensor([4])],
        integers: ["b": IntTensor([5]), "d": IntTensor([6, 7])])
      try file.write(to: url)
      let data = try Data(contentsOf: url)
      let length = Int(data[0]) + Int(data[1]) << 8
      #expect((8 + length) % 8 == 0)
      let header = String(decoding: data[8..<8 + length], as: UTF8.self)
      #expect(
        header.contains(#""b":{"data_offsets":[0,8]"#)
          && header.contains(#""d":{"data_offsets":[8,24]"#)
          && header.contains(#""a":{"data_offsets":[24,36]"#), "\(header)")
      let read = try Safetensors(contentsOf: url)
      #expect(read.tensors == file.tensors && read.integers == file.integers)
    }
  }

  @Test(arguments: ["model.", "module.", "_orig_mod.", "module.model.", "model._orig_mod."])
  func namesMayHavePrefixesOfOtherPrograms(prefix: String) throws {
    try withFile { url in
      let (saved, loaded) = (Pair(), Pair())
      try Checkpoint.save(saved, to: url)
      let file = try Safetensors(contentsOf: url)
      try Safetensors(
        tensors: Dictionary(
          uniqueKeysWithValues: file.tensors.map { (prefix + $0.key, $0.value) })
      ).write(to: url)
      try Checkpoint.load(url, into: loaded)
      #expect(saved.parameters.map(\.value) == loaded.parameters.map(\.value))
    }
  }

  private struct Wrapped: Layer {
    let model = Linear(2, 1)

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try model(x) }
  }

  @Test func aPrefixThatIsTheModelsOwnIsKept() throws {
    try withFile { url in
      let (saved, loaded) = (Wrapped(), Wrapped())
      try Checkpoint.save(saved, to: url)
      try Checkpoint.load(url, into: loaded)
      #expect(saved.parameters.map(\.value) == loaded.parameters.map(\.value))
    }
  }

  // MARK: Weights that cannot be used

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func weightsThatAreNotFiniteAreRefused(value: Float) throws {
    try withFile { url in
      let (saved, loaded) = (Pair(), Pair())
      let before = loaded.parameters.map(\.value)
      try saved.second.bias.load(Tensor([0, value, 0, 0]))
      try Checkpoint.save(saved, to: url)
      let path = url.path(percentEncoded: false)
      expectDataError(
        "\(path): expected finite weights, got \(value) in second.bias; the training that saved it "
          + "diverged"
      ) { try Checkpoint.load(url, into: loaded) }
      #expect(loaded.parameters.map(\.value) == before)
    }
  }

  @Test(arguments: [
    (Float(-0.5), 3, "running_var of at least 0, got -0.5"),
    (0.5, -1, "num_batches_tracked to be a number of batches, got -1"),
    (0.5, Int.max, "num_batches_tracked to be a number of batches, got 9223372036854775807"),
  ])
  func statisticsOutOfRangeAreRefused(variance: Float, batches: Int, expected: String) throws {
    try withFile { url in
      let norm = BatchNorm2d(1)
      try Checkpoint.save(norm, to: url)
      var file = try Safetensors(contentsOf: url)
      file.tensors["running_var"] = Tensor([variance])
      file.integers["num_batches_tracked"] = IntTensor([batches], shape: [])
      try file.write(to: url)
      expectDataError("\(url.path(percentEncoded: false)): expected \(expected)") {
        try Checkpoint.load(url, into: norm)
      }
    }
  }

  // MARK: Folders of runs

  @Test func aFolderMeansItsBestCheckpoint() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.path(percentEncoded: false)
    expectDataError(
      "\(path): expected a checkpoint or the folder of a run with one, got neither"
    ) { _ = try Checkpoint.file(at: folder.url) }
    try folder.write(Data(), to: "last.safetensors")
    #expect(try Checkpoint.file(at: folder.url).lastPathComponent == "last.safetensors")
    let best = "epoch=004-val_loss=0.039.safetensors"
    try folder.write(Data(), to: best)
    #expect(try Checkpoint.file(at: folder.url).lastPathComponent == best)
    #expect(
      try Checkpoint.file(at: folder.url.appending(path: "last.safetensors")).lastPathComponent
        == "last.safetensors")
    try folder.write(Data(), to: "epoch=005-val_loss=0.038.safetensors")
    expectDataError(
      "\(path): expected one checkpoint of the best epoch, got 2; name one of them"
    ) { _ = try Checkpoint.file(at: folder.url) }
  }

  /// Writes a file of the format byte by byte.
  private func write(_ header: String, _ bytes: [UInt8], to url: URL) throws {
    try Safetensors(tensors: [:]).write(to: url)
    var length = Data()
    for shift in stride(from: 0, to: 64, by: 8) {
      length.append(UInt8(truncatingIfNeeded: header.utf8.count >> shift))
    }
    try (length + Data(header.utf8) + Data(bytes)).write(to: url)
  }
}
