import Lab
import TestSupport
import Testing

struct LossCurveTests {
  /// Ten steps of Adam from the same weights on the same batches, without dropout:
  ///
  /// ```python
  /// torch.manual_seed(42)
  /// model = CNN()  # the course's, for 83 classes, without dropout; and MLP()
  /// optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
  /// generator = torch.Generator().manual_seed(7)
  /// for step in range(10):
  ///     x = torch.rand(32, 1, 28, 28, generator=generator)
  ///     y = (torch.arange(32) * 7 + step) % 83
  ///     optimizer.zero_grad()
  ///     loss = F.cross_entropy(model(x), y)
  ///     loss.backward()
  ///     optimizer.step()
  /// ```
  @Test func theCNNFollowsPyTorch() throws {
    var model = seeded(42) { CNN(.emnist) }
    model.dropout = Dropout(0)
    try expectLosses(
      of: model,
      [
        4.42625, 4.444881, 4.418823, 4.515201, 4.493764, 4.442347, 4.41757, 4.419416, 4.422536,
        4.425124,
      ])
  }

  @Test func theMLPFollowsPyTorch() throws {
    var model = seeded(42) { MLP(.emnist) }
    model.dropout = Dropout(0)
    try expectLosses(
      of: model,
      [
        4.435718, 4.369603, 4.428421, 4.606797, 4.820282, 4.659088, 4.533689, 4.43544, 4.385246,
        4.408517,
      ])
  }

  /// The same with `SGD(model.parameters(), lr=0.01, momentum=0.9)`; the class is in ``ModelTests``.
  /// Adam, whose first steps follow the signs of tiny gradients, leads even PyTorch's own single
  /// and double precision apart.
  @Test(
    arguments: [
      (
        ["channels": 32],
        [
          4.434065, 4.459091, 4.448354, 4.480824, 4.473293, 4.533644, 4.476121, 4.423628, 4.416481,
          4.412111,
        ]
      ),
      (
        ["channels": 8, "halving": "pool"],
        [
          4.521154, 4.508714, 4.478123, 4.512807, 4.469568, 4.557116, 4.480549, 4.513896, 4.474829,
          4.472311,
        ]
      ),
      (
        ["channels": 8, "norm": "none"],
        [
          4.472832, 4.506917, 4.543415, 4.532011, 4.493857, 4.438179, 4.406666, 4.436863, 4.444819,
          4.437937,
        ]
      ),
      (
        ["channels": 8, "skip": false],
        [
          4.423329, 4.453975, 4.438332, 4.460391, 4.533973, 4.504304, 4.48145, 4.41673, 4.43967,
          4.436434,
        ]
      ),
    ] as [([String: OptionValue], [Float])])
  func theResNetFollowsPyTorch(values: [String: OptionValue], expected: [Float]) throws {
    let options = try ResNet.Options(values)
    let model = seeded(42) { ResNet(.emnist, options) }
    try expectLosses(
      of: model, expected, optimizer: SGD(model.parameters, learningRate: 0.01, momentum: 0.9))
  }

  private func expectLosses(
    of model: some Model, _ expected: [Float], optimizer: (any Optimizer)? = nil
  ) throws {
    let optimizer = optimizer ?? Adam(model.parameters)
    let generator = Generator(seed: 7)
    for (step, expected) in expected.enumerated() {
      let pixels = generator.uniform(count: 32 * 784, 0, 1)
      let labels = IntTensor((0..<32).map { ($0 * 7 + step) % 83 })
      let tape = Tape()
      optimizer.clearGradients()
      let x = tape.input(Tensor(pixels, shape: [32, 1, 28, 28]))
      let loss = try crossEntropy(model(x), labels)
      try tape.backward(loss)
      optimizer.step()
      #expect(abs(loss.item - expected) < 1e-4, "step \(step)")
    }
  }
}
