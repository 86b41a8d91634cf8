import Foundation
import Lab
import Testing

struct ModelTests {
  static let emnist = DataConfig(
    inputDims: [1, 28, 28], outputDims: [1], mapping: (0..<83).map(String.init))

  /// The SHA-256 of the bytes of all initial parameters, one after another.
  ///
  /// ```python
  /// torch.manual_seed(42)
  /// model = CNN()  # the course's, and MLP(), for 83 classes
  /// hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()
  /// ```
  @Test func initialWeightsArePyTorchsBitForBit() throws {
    let cnn = seeded(42) { CNN(Self.emnist) }
    #expect(
      try digest(cnn) == "dbd7af1da2602ef9a9d7af4b10cb95a838fe56c601f8e74dde6dafb9be0567e7")
    let mlp = seeded(42) { MLP(Self.emnist) }
    #expect(
      try digest(mlp) == "d05966bcf905d469e022f96a7c33fa8b1dcc0069dfc9fe752a00c97e937e0a1a")
  }

  @Test func theCNNHasTheCoursesSize() throws {
    let cnn = CNN(Self.emnist)
    #expect(cnn.parameterCount == 1_654_035)
    #expect(
      cnn.namedParameters.map { "\($0.path) \($0.parameter.shape)" } == [
        "conv1.conv.weight [64, 1, 3, 3]", "conv1.conv.bias [64]",
        "conv2.conv.weight [64, 64, 3, 3]", "conv2.conv.bias [64]",
        "fc1.weight [128, 12544]", "fc1.bias [128]", "fc2.weight [83, 128]", "fc2.bias [83]",
      ])
    #expect(try cnn(Tensor(repeating: 0, shape: [3, 1, 28, 28])).shape == [3, 83])
  }

  @Test func optionsChangeTheSizes() throws {
    var options = CNN.Options.defaults
    options.convDim = 4
    options.fcDim = 10
    let data = DataConfig(inputDims: [1, 9, 12], outputDims: [1], mapping: ["a", "b"])
    let cnn = CNN(data, options)
    #expect(cnn.fc1.weight.shape == [10, 4 * 4 * 6])
    #expect(try cnn(Tensor(repeating: 0, shape: [1, 1, 9, 12])).shape == [1, 2])
    #expect(throws: (any Error).self) { try CNN.Options.parse(["--conv_dim=0"]) }
  }
}

/// The SHA-256 of the bytes of all parameters.
private func digest(_ model: some Layer) throws -> String {
  let digest = try SHA256()
  for parameter in model.parameters {
    digest.update(parameter.value.elements.withUnsafeBytes { Data($0) })
  }
  return digest.hexadecimal
}
