import Digests
import Foundation
import Lab
import TestSupport
import Testing

struct ModelTests {
  /// The SHA-256 of the bytes of all initial parameters, one after another.
  ///
  /// ```python
  /// torch.manual_seed(42)
  /// model = CNN()  # the course's, and MLP(), for 83 classes
  /// hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()
  /// ```
  @Test func initialWeightsArePyTorchsBitForBit() throws {
    let cnn = seeded(42) { CNN(.emnist) }
    #expect(
      try digest(cnn) == "dbd7af1da2602ef9a9d7af4b10cb95a838fe56c601f8e74dde6dafb9be0567e7")
    let mlp = seeded(42) { MLP(.emnist) }
    #expect(
      try digest(mlp) == "d05966bcf905d469e022f96a7c33fa8b1dcc0069dfc9fe752a00c97e937e0a1a")
  }

  @Test func theCNNHasTheCoursesSize() throws {
    let cnn = CNN(.emnist)
    #expect(cnn.parameterCount == 1_654_035)
    #expect(
      cnn.namedParameters.map { "\($0.path) \($0.parameter.shape)" } == [
        "conv1.conv.weight [64, 1, 3, 3]", "conv1.conv.bias [64]",
        "conv2.conv.weight [64, 64, 3, 3]", "conv2.conv.bias [64]",
        "fc1.weight [128, 12544]", "fc1.bias [128]", "fc2.weight [83, 128]", "fc2.bias [83]",
      ])
    #expect(try cnn(Tensor(repeating: 0, shape: [3, 1, 28, 28])).shape == [3, 83])
  }

  /// ```python
  /// class ConvNorm(nn.Module):
  ///     def __init__(self, i, o, kernel=3, stride=1, norm=True):
  ///         super().__init__()
  ///         self.conv = nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=not norm)
  ///         self.norm = nn.BatchNorm2d(o) if norm else nn.Identity()
  ///     def forward(self, x): return self.norm(self.conv(x))
  ///
  /// class Block(nn.Module):
  ///     def __init__(self, i, o, halves, norm=True, pool=False, skip=True):
  ///         super().__init__()
  ///         stride = 2 if halves and not pool else 1
  ///         self.pool = nn.MaxPool2d(2) if halves and pool else nn.Identity()
  ///         self.conv1, self.conv2 = ConvNorm(i, o, 3, stride, norm), ConvNorm(o, o, 3, 1, norm)
  ///         if skip:
  ///             changes = stride > 1 or i != o
  ///             self.shortcut = ConvNorm(i, o, 1, stride, norm) if changes else nn.Identity()
  ///         self.skip = skip
  ///     def forward(self, x):
  ///         x = self.pool(x)
  ///         y = self.conv2(F.relu(self.conv1(x)))
  ///         return F.relu(y + self.shortcut(x)) if self.skip else F.relu(y)
  ///
  /// class ResNet(nn.Module):
  ///     def __init__(self, blocks=1, channels=16, stages=3, stem_channels=0, **options):
  ///         super().__init__()
  ///         c = stem_channels or channels
  ///         self.stem = ConvNorm(1, c, norm=options.get("norm", True))
  ///         layers = []
  ///         for stage in range(stages):
  ///             for place in range(blocks):
  ///                 halves = stage > 0 and place == 0
  ///                 layers.append(Block(c, channels << stage, halves, **options))
  ///                 c = channels << stage
  ///         self.blocks, self.fc = nn.Sequential(*layers), nn.Linear(c, 83)
  ///         for m in self.modules():
  ///             if isinstance(m, nn.Conv2d):
  ///                 nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
  ///     def forward(self, x):
  ///         return self.fc(self.blocks(F.relu(self.stem(x))).mean((2, 3)))
  /// ```
  @Test(
    arguments: [
      ([:], "9ad1814bad2002afd957ebf43fd439d9c204e6df80e127f63c780cfdd82a140d"),
      (["channels": 32], "5d56aedb3408d92742d60604594bffcdfc3255c3554375648abcc528feab800e"),
      (
        ["blocks": 2, "halving": "pool"],
        "28a6feb5a33286fc5d21d89f212684b9dde83bf118241509d9dd2f80dfecd308"
      ),
      (
        ["channels": 8, "norm": "none"],
        "09be28397f8226246bd56451ce669db87f25e8c39ed34d36d2eafd4e61cf6942"
      ),
      (
        ["channels": 4, "skip": false],
        "5d1986ee65b876bb8a606cc5561c5d1fba0e84f617ed0660b91d546d8fc17310"
      ),
      (
        ["channels": 24, "stages": 2, "stem_channels": 12, "stem_pool": true],
        "78cdda77522310c52682c2ec184bbbfb5d9e3eb00b9b57faa96cc9bb37d34f6f"
      ),
      (
        ["channels": 8, "stages": 1],
        "d04d8c48360b4b2260d87ea811cf58b1c4f20fd713f9a2e0566b3ab8a142ce22"
      ),
    ] as [([String: OptionValue], String)])
  func theResNetBeginsWithPyTorchsWeights(values: [String: OptionValue], sum: String) throws {
    let options = try ResNet.Options(values)
    let model = seeded(42) { ResNet(.emnist, options) }
    #expect(try digest(model) == sum)
    #expect(try model(Tensor(repeating: 0, shape: [2, 1, 28, 28])).shape == [2, 83])
  }

  @Test func theResNetsPartsHaveNames() {
    let model = ResNet(.emnist)
    #expect(model.parameterCount == 82_499)
    #expect(
      model.namedParameters.map(\.path).filter { $0.contains("blocks.1.") || $0.hasPrefix("stem") }
        == [
          "stem.conv.weight", "stem.norm.weight", "stem.norm.bias",
          "blocks.1.conv1.conv.weight", "blocks.1.conv1.norm.weight", "blocks.1.conv1.norm.bias",
          "blocks.1.conv2.conv.weight", "blocks.1.conv2.norm.weight", "blocks.1.conv2.norm.bias",
          "blocks.1.shortcut.conv.weight", "blocks.1.shortcut.norm.weight",
          "blocks.1.shortcut.norm.bias",
        ])
    #expect(
      model.namedStatistics.map(\.path) == [
        "stem.norm", "blocks.0.conv1.norm", "blocks.0.conv2.norm", "blocks.1.conv1.norm",
        "blocks.1.conv2.norm", "blocks.1.shortcut.norm", "blocks.2.conv1.norm",
        "blocks.2.conv2.norm", "blocks.2.shortcut.norm",
      ])
  }

  /// With max pooling after the stem, the first stage has half the height and width.
  @Test func theStemMayPool() throws {
    var options = ResNet.Options.defaults
    (options.channels, options.stemChannels, options.stemPool, options.stages) = (4, 2, true, 2)
    let model = ResNet(.emnist, options)
    let x = pattern([1, 1, 28, 28])
    let stem = try relu(model.stem(x))
    #expect(stem.shape == [1, 2, 28, 28])
    let expected = try model.fc(
      globalAveragePool(model.blocks[1](model.blocks[0](maxPool2d(stem, size: 2, stride: 2)))))
    #expect(try model(x) == expected)
    #expect(try model.blocks[0](maxPool2d(stem, size: 2, stride: 2)).shape == [1, 4, 14, 14])
    #expect(model.blocks.count == 2)
  }

  /// The homework's first step: a block instead of flatten and the hidden layer.
  @Test func aBlockWithoutFlattenSaysWhatToDo() {
    let (block, fc) = (ResidualBlock(4, 4, halves: false), Linear(128, 83))
    expectShapeError(
      "linear: expected x of shape [rows, 128] (the weight is [83, 128]), got [2, 4, 7, 7]; "
        + "flatten x before a linear layer; it then has 196 features, so the layer is "
        + "Linear(196, …)"
    ) { () throws(ShapeError) in
      try fc(block(Tensor(repeating: 0, shape: [2, 4, 7, 7])))
    }
  }

  @Test func optionsChangeTheSizes() throws {
    var options = CNN.Options.defaults
    options.convDim = 4
    options.fcDim = 10
    let data = DataConfig(inputDims: [1, 9, 12], outputDims: [1], mapping: ["a", "b"])
    let cnn = CNN(data, options)
    #expect(cnn.fc1.weight.shape == [10, 4 * 4 * 6])
    #expect(try cnn(Tensor(repeating: 0, shape: [1, 1, 9, 12])).shape == [1, 2])
  }
}

/// The SHA-256 of the bytes of all parameters.
private func digest(_ model: some Layer) throws -> String {
  let digest = try SHA256()
  for parameter in model.parameters {
    digest.update(parameter.value.elements.withUnsafeBytes { Data($0) })
  }
  return try digest.hexadecimal
}
