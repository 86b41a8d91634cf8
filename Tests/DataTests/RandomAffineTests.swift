import Lab
import TestSupport
import Testing

struct RandomAffineTests {
  /// ```python
  /// x = pattern(1, 6, 5, step=3)[None]
  /// bilinear = TF.InterpolationMode.BILINEAR
  /// TF.affine(x + 1.5, degrees, [right, down], scale, [shear, 0], interpolation=bilinear) - 1.5
  /// ```
  @Test(
    arguments: [
      (
        AffineChange(degrees: 30),
        [
          -1.47155166, -0.540943563, -0.352563381, -0.279306769, -0.792768776, -0.516768515,
          -0.00122380257, 0.33581686, 0.814325333, 0.644774437, -0.919550657, -0.631870389,
          -0.620512486, -0.0137624741, -0.321474671, 0.321474671, 0.0137624741, 0.620512486,
          0.631870508, 0.919550896, -0.64477402, -0.814325333, -0.33581686, 0.00122404099,
          -0.929383993, -1.20242202, -0.215884209, 0.352563381, 0.192866802, -1.47460091,
        ]
      ),
      (
        AffineChange(right: 1, down: -2),
        [
          -1.5, 0.75, -1.25, -0.5, 0.25, -1.5, -0.999999762, -0.249999762, 0.499999523, 1.24999952,
          -1.5, 0, 0.75, -1.25, -0.5, -1.5, 1, -1, -0.25, 0.5, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5,
          -1.5, -1.5, -1.5, -1.5,
        ]
      ),
      (
        AffineChange(degrees: -20, right: 2, down: 1, scale: 1.25, shear: 15),
        [
          -1.5, -1.4906683, -1.27425551, -0.713871479, 0.185140848, -1.5, -1.35899067, -0.778876007,
          0.113542199, 0.697969913, -1.5, -0.992582798, -0.0812600851, 0.539587736, 0.492678165,
          -1.5, -0.62879312, 0.00406014919, -0.830119729, -0.348808169, -1.5, -0.447487235,
          -0.169090629, -0.543610215, 0.348807931, -1.5, -1.15090561, -0.738412201, 0.0891147852,
          -0.492678404,
        ]
      ),
    ] as [(AffineChange, [Float])])
  func transformationsAreThoseOfTorchvision(change: AffineChange, expected: [Float]) throws {
    let pixels = pattern([6, 5], step: 3).elements
    var result = [Float](repeating: .nan, count: 30)
    change.inverse.sample(pixels[...], width: 5, height: 6, background: -1.5) { result[$0] = $1 }
    try expectClose(Tensor(result), expected, tolerance: 2e-6)
  }

  /// ```python
  /// torch.manual_seed(3)
  /// t = torchvision.transforms.RandomAffine(10, (0.1, 0.1), (0.9, 1.1), shear=12)
  /// for image in pattern(2, 1, 12, 10, step=3):
  ///     change = t.get_params(t.degrees, t.translate, t.scale, t.shear, [10, 12])
  ///     (TF.affine(image + 1.5, *change, interpolation=bilinear) - 1.5)[0, 5]
  /// ```
  @Test func drawsAreThoseOfTorchvision() throws {
    let augment = RandomAffine(degrees: 10, translate: 0.1, scale: 0.9...1.1, shear: 12)
    let y = augment(
      pattern([2, 1, 12, 10], step: 3), background: -1.5, generator: Generator(seed: 3))
    #expect(y.shape == [2, 1, 12, 10])
    try expectClose(
      Tensor((0..<2).flatMap { y[$0][0][5].elements }),
      [
        0.664978266, 0.525002241, -0.261433363, -0.0700031519, 0.601669312, -0.595682263,
        -0.804985046, -0.133311272, -0.193672895, -1.5, -1.45651031, 0.961624861, 0.285482287,
        -0.502090931, 0.131218314, 0.683080912, -0.982863247, -0.702860653, -0.0855457783,
        0.547763348,
      ], tolerance: 1e-5)
  }

  /// The same with `RandomAffine(0, shear=12)`: only the angle and the shear are drawn.
  @Test func valuesThatAreOffTakeNoDraw() throws {
    let augment = RandomAffine(shear: 12)
    let y = augment(
      pattern([2, 1, 12, 10], step: 3), background: -1.5, generator: Generator(seed: 3))
    try expectClose(
      Tensor((0..<2).flatMap { y[$0][0][5].elements }),
      [
        0.562526941, 1.08326125, -0.687473059, 0.0625269413, 0.58326149, -1.18747306, -0.437473059,
        0.312526941, 0.83326149, -1.04168463, -0.174706221, 0.575294018, 1.04921722, -0.674706101,
        0.0752938986, 0.549217224, -1.1747061, -0.424705744, 0.325293541, 0.749019146,
      ], tolerance: 1e-5)
  }

  @Test func theDefaultLeavesImagesUnchanged() {
    let x = pattern([2, 3, 4, 5])
    #expect(RandomAffine()(x, background: 9, generator: Generator(seed: 1)) == x)
  }

  /// Values out of range; some of them trapped before, where a coordinate was converted to an integer.
  @Test(
    arguments: [
      RandomAffine(scale: 0...0), RandomAffine(scale: 1e-300...1e-300),
      RandomAffine(degrees: .infinity), RandomAffine(degrees: .nan),
      RandomAffine(translate: .infinity), RandomAffine(translate: 1e30),
      RandomAffine(shear: 90), RandomAffine(shear: .infinity),
      RandomAffine(scale: -.infinity...(.infinity)), RandomAffine(degrees: 1e300),
    ])
  func valuesOutOfRangeDoNotTrap(augment: RandomAffine) {
    let x = pattern([3, 1, 5, 4], step: 3)
    let y = augment(x, background: 9, generator: Generator(seed: 1))
    #expect(y.shape == x.shape)
  }

  @Test func imagesScaledToNothingShowTheBackground() {
    let y = RandomAffine(scale: 0...0)(
      pattern([2, 1, 5, 4]), background: 9, generator: Generator(seed: 1))
    #expect(y == Tensor(repeating: 9, shape: [2, 1, 5, 4]))
  }

  @Test(arguments: [
    (RandomAffine(degrees: -1), "degrees of at least 0, got -1.0"),
    (RandomAffine(degrees: .nan), "degrees of at least 0, got nan"),
    (RandomAffine(translate: 1.5), "translate from 0 to 1, got 1.5"),
    (RandomAffine(scale: 0...1), "scale factors above 0, got 0.0 to 1.0"),
    (RandomAffine(scale: 1...(.infinity)), "scale factors above 0, got 1.0 to inf"),
    (RandomAffine(shear: 90), "shear from 0 to below 90 degrees, got 90.0"),
  ])
  func dataSetsRefuseValuesOutOfRange(augment: RandomAffine, message: String) throws {
    let error = DataError(.unusable, "RandomAffine: expected \(message)")
    #expect(throws: error) { try augment.validate() }
    #expect(throws: error) {
      try MNIST(DataOptions(source: .synthetic, augmentation: augment))
    }
  }
}
