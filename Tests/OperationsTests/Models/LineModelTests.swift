import Digests
import Foundation
import Lab
import TestSupport
import Testing

/// The networks that read lines, beside those of `Tests/Parity/networks.py`.
struct LineModelTests {
  static let lines = DataConfig(
    inputDims: [1, 28, 896], outputDims: [32, 1], mapping: (0..<83).map(String.init))

  /// Lines of another width, with as many labels as characters fit.
  private static func lines(width: Int) -> DataConfig {
    DataConfig(
      inputDims: [1, 28, width], outputDims: [width / 28, 1], mapping: lines.mapping)
  }

  /// The number of parameters, and the SHA-256 of their bytes, one after another.
  ///
  /// ```python
  /// torch.manual_seed(42)
  /// model = LineCNN(83, width=28, stride=18)
  /// sum(p.numel() for p in model.parameters())
  /// hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()
  /// ```
  @Test(
    arguments: [
      (
        "LineCNNSimple", [:], 1_654_035,
        "dbd7af1da2602ef9a9d7af4b10cb95a838fe56c601f8e74dde6dafb9be0567e7"
      ),
      (
        "LineCNN", [:], 1_003_891,
        "5fd25dc0520e43def06a7521de57b41f56bbd0a83c9b841feb5e2c1ee5ef555b"
      ),
      (
        "LineCNN", ["window_width": 28, "window_stride": 18], 1_200_499,
        "f9a7a98e7ed65d851cc8c1ae8abca601d8a809769cb0416fa09079ff0a2afaad"
      ),
      (
        "LineCNNLSTM", ["window_width": 28, "window_stride": 18], 3_688_390,
        "b43ac5ddd4e66768b6ed59f9cf7ebf0d8c5c0fb3bf4ef37ae30c0a52492cf8b1"
      ),
      (
        "LineCNNLSTM", ["lstm_layers": 2, "lstm_dim": 64], 1_184_902,
        "33b1fbb35281d75ec198b3effd0f3306ef91e1c386933c6cf175509a27d9ce85"
      ),
    ] as [(String, [String: OptionValue], Int, String)])
  func initialWeightsArePyTorchsBitForBit(
    name: String, options: [String: OptionValue], count: Int, sum: String
  ) throws {
    let configuration = try ModelConfiguration(name, options)
    let model = seeded(42) { configuration.model(for: Self.lines) }
    #expect(model.parameterCount == count)
    let digest = try SHA256()
    for parameter in model.parameters {
      digest.update(parameter.value.elements.withUnsafeBytes { Data($0) })
    }
    #expect(try digest.hexadecimal == sum)
  }

  @Test func parametersHaveTheCoursesNames() throws {
    #expect(LineCNNSimple(Self.lines).namedParameters.map(\.path).first == "cnn.conv1.conv.weight")
    #expect(
      LineCNN(Self.lines).namedParameters.map(\.path) == (0..<9).flatMap {
        ["convs.\($0).conv.weight", "convs.\($0).conv.bias"]
      } + ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"])
    let names = LineCNNLSTM(Self.lines).namedParameters.map(\.path)
    #expect(names.first == "line_cnn.convs.0.conv.weight")
    #expect(
      names.suffix(10) == [
        "lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0",
        "lstm.weight_ih_l0_reverse", "lstm.weight_hh_l0_reverse", "lstm.bias_ih_l0_reverse",
        "lstm.bias_hh_l0_reverse", "fc.weight", "fc.bias",
      ])
  }

  @Test(
    arguments: [
      ("LineCNNSimple", [:], 8), ("LineCNNSimple", ["window_stride": 20], 10),
      ("LineCNNSimple", ["window_stride": 20, "limit_output_length": true], 8),
      ("LineCNN", [:], 27), ("LineCNN", ["window_width": 28, "window_stride": 18], 13),
      ("LineCNN", ["window_width": 31, "window_stride": 23], 13),
      ("LineCNN", ["limit_output_length": true], 8),
      ("LineCNNLSTM", ["lstm_dim": 8, "window_width": 28, "window_stride": 8], 26),
    ] as [(String, [String: OptionValue], Int)])
  func thereAreAsManyStepsAsWindows(
    name: String, options: [String: OptionValue], steps: Int
  ) throws {
    let model = try ModelConfiguration(name, options).model(for: Self.lines(width: 224))
    #expect(try model(Tensor(repeating: 0.5, shape: [2, 1, 28, 224])).shape == [2, 83, steps])
  }

  @Test func theSimpleNetworkReadsEachWindowByItself() throws {
    let data = Self.lines(width: 84)
    var options = LineCNNSimple.Options()
    (options.cnn.convDim, options.cnn.fcDim) = (4, 8)
    options.windowStride = 14
    let model = seeded(1) { LineCNNSimple(data, options) }
    let x = pattern([3, 1, 28, 84])
    let y = try model(x)
    #expect(y.shape == [3, 83, 5])
    for step in 0..<5 {
      let window = try slice(x, axis: 3, step * 14..<step * 14 + 28)
      let logits = try slice(y, axis: 2, step..<step + 1)
      try expectClose(logits, model.cnn(window).elements)
    }
  }

  /// Ten steps of Adam from the same weights on the same batches, without dropout:
  ///
  /// ```python
  /// def labels(step, count=8, length=8):
  ///     y = 4 + (torch.arange(count * length).reshape(count, length) * 7 + step) % 79
  ///     lengths = torch.arange(count) % length + 1
  ///     return torch.where(torch.arange(length) < lengths[:, None], y, 3), lengths
  ///
  /// torch.manual_seed(42)
  /// model = LineCNN(83, width=28, stride=18)
  /// optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
  /// generator = torch.Generator().manual_seed(7)
  /// for step in range(10):
  ///     x = torch.rand(8, 1, 28, 224, generator=generator)
  ///     y, lengths = labels(step)
  ///     optimizer.zero_grad()
  ///     logits = model(x)
  ///     loss = F.ctc_loss(  # F.cross_entropy(logits, y) for LineCNNSimple
  ///         F.log_softmax(logits, 1).permute(2, 0, 1), y,
  ///         torch.full((8,), logits.shape[2]), lengths, zero_infinity=True)
  ///     loss.backward()
  ///     optimizer.step()
  /// ```
  @Test(
    arguments: [
      (
        "LineCNNSimple",
        [
          4.457923, 4.34021, 4.266288, 4.184464, 4.104665, 4.009491, 3.88265, 3.76649, 3.620616,
          3.518129,
        ]
      ),
      (
        "LineCNN",
        [
          16.944073, 17.002377, 17.094934, 17.129593, 16.943361, 17.177059, 16.944582, 17.006519,
          16.948351, 17.041241,
        ]
      ),
      (
        "LineCNNLSTM",
        [
          16.88924, 16.892952, 16.872589, 16.781361, 16.73023, 16.649694, 16.603403, 16.526361,
          16.454067, 16.424749,
        ]
      ),
    ] as [(String, [Float])])
  func trainingFollowsPyTorch(name: String, losses: [Float]) throws {
    let model = seeded(42) { withoutDropout(name) }
    let reading = LineReading(
      name == "LineCNNSimple" ? .crossEntropy : .ctc, padding: 3, special: [0, 1, 2, 3])
    let optimizer = Adam(model.parameters, learningRate: 1e-4)
    let generator = Generator(seed: 7)
    for (step, expected) in losses.enumerated() {
      let x = Tensor(generator.uniform(count: 8 * 28 * 224, 0, 1), shape: [8, 1, 28, 224])
      let labels = (0..<8).flatMap { line in
        (0..<8).map { $0 <= line ? 4 + ((line * 8 + $0) * 7 + step) % 79 : 3 }
      }
      let batch = Batch(x: x, y: IntTensor(labels, shape: [8, 8]))
      let tape = Tape()
      optimizer.clearGradients()
      let loss = try reading.score(model(tape.input(x)), batch).loss
      try tape.backward(loss)
      optimizer.step()
      #expect(abs(loss.item - expected) < 1e-4 * expected, "step \(step)")
    }
  }

  private func withoutDropout(_ name: String) -> any Layer {
    let data = Self.lines(width: 224)
    var options = LineCNN.Options()
    (options.windowWidth, options.windowStride) = (28, 18)
    switch name {
    case "LineCNN":
      var model = LineCNN(data, options)
      model.dropout = Dropout(0)
      return model
    case "LineCNNLSTM":
      var all = LineCNNLSTM.Options()
      all.lineCNN = options
      var model = LineCNNLSTM(data, all)
      model.lineCNN.dropout = Dropout(0)
      return model
    default:
      var model = LineCNNSimple(data)
      model.cnn.dropout = Dropout(0)
      return model
    }
  }

  @Test(
    arguments: [
      ("LineCNN", ["window_width": 4], "--window_width: expected 8 to 4096, got 4"),
      (
        "LineCNN", ["lstm_dim": 4],
        "--lstm_dim: expected one of conv_dim, fc_dim, window_width, "
          + "window_stride, limit_output_length, got lstm_dim"
      ),
      (
        "LineCNN", ["window_width": 897],
        "--window_width: expected at most 896, the width of the images, got 897"
      ),
      (
        "LineCNNSimple", ["window_width": 1000],
        "--window_width: expected at most 896, the width of the images, got 1000"
      ),
    ] as [(String, [String: OptionValue], String)])
  func optionsThatDoNotFitAreRefused(
    name: String, options: [String: OptionValue], message: String
  ) throws {
    let error = #expect(throws: OptionError.self) {
      try ModelConfiguration(name, options).check(for: Self.lines)
    }
    #expect(error?.description == message)
  }

  @Test func linesOfAnotherHeightAreRefused() {
    let model = LineCNN(Self.lines(width: 224))
    expectShapeError(
      "LineCNN: expected lines whose height the convolutions reduce to 1, such as 28 pixels, "
        + "got [1, 1, 64, 224]"
    ) { () throws(ShapeError) in try model(Tensor(repeating: 0, shape: [1, 1, 64, 224])) }
    let simple = LineCNNSimple(Self.lines(width: 224))
    expectShapeError(
      "LineCNNSimple: expected x of shape [lines, channels, height, at least 28], got [1, 1, 28, 20]"
    ) { () throws(ShapeError) in try simple(Tensor(repeating: 0, shape: [1, 1, 28, 20])) }
  }
}
