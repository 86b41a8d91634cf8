import Lab
import LabTensors
import OpenCLKernels
import Testing

/// Convolutions from tiles of images in each precision: the instructions of tensor cores are followed
/// step by step on other devices.
@Suite(.needsOpenCL) struct TileTests {
  static let precisions: [(GPUPrecision, Float)] = [
    (.float32, 1e-5), (.tf32, 4e-3), (.bf16, 3e-2),
  ]

  private static let devices: [GPUPrecision: Device] = {
    var devices: [GPUPrecision: Device] = [:]
    for precision in GPUPrecision.allCases {
      guard let chosen = OpenCL.device.flatMap({ ($0.backend as? OpenCLBackend)?.queue.device })
      else { continue }
      devices[precision] = (try? OpenCLBackend(chosen, precision: precision)).map(Device.init)
    }
    return devices
  }()

  /// Shapes of images and weights whose channels are multiples of 16, with paddings.
  static let shapes: [(x: [Int], weight: [Int], padding: Int)] = [
    ([2, 16, 9, 17], [16, 16, 3, 3], 1), ([1, 32, 10, 14], [64, 32, 2, 3], 1),
    ([2, 48, 6, 5], [32, 48, 1, 1], 0),
  ]

  /// PoCL compiles the instructions' stand-ins slowly, so this one alone is computed in the lower
  /// precisions.
  static let small: (x: [Int], weight: [Int], padding: Int) = ([2, 16, 4, 6], [16, 16, 2, 2], 1)

  @Test(arguments: precisions) func tilesAreConvolutions(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    for shape in precision == .float32 ? Self.shapes : [Self.small] {
      let inputs = [numbers(shape.x), numbers(shape.weight, seed: 2), numbers([shape.weight[0]])]
      try expectSame(inputs, on: device, tolerance: tolerance) { x in
        try conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding)
      }
    }
  }

  /// Masks of ReLU and maxima flip where rounding changes a sign or an order, so in the lower precisions
  /// only a forward pass is compared.
  @Test(arguments: precisions) func whatFollowsIsComputedWithThem(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    let isExact = precision == .float32
    let shape = isExact ? Self.shapes[0] : Self.small
    let inputs = [numbers(shape.x), numbers(shape.weight, seed: 2), numbers([shape.weight[0]])]
    for drops in isExact ? [false, true] : [true] {
      try expectSame(inputs, on: device, tolerance: tolerance, gradients: isExact) { x in
        let y = try maxPool2d(
          relu(conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding)), size: 2)
        return drops ? dropout(y, probability: 0.3, generator: Generator(seed: 4)) : y
      }
    }
    guard isExact else { return }
    try expectSame(inputs, on: device, tolerance: tolerance) { x in
      relu(try conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding))
    }
  }

  /// What is not computed by tiles of images.
  @Test(arguments: precisions.dropFirst()) func productsOfTensorCoresAreLinearLayers(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    let inputs = [numbers([5, 40]), numbers([16, 40], seed: 2), numbers([16], seed: 3)]
    try expectSame(inputs, on: device, tolerance: tolerance) {
      try linear($0[0], weight: $0[1], bias: $0[2])
    }
  }

  /// A first convolution of few inputs is computed inside the kernels of the next one. All numbers are
  /// far from 0, so that no mask flips.
  @Test(arguments: precisions.dropFirst()) func aConvolutionInFrontIsComputedWithThem(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    func positive(_ shape: [Int], seed: UInt64) -> Tensor {
      numbers(shape, seed: seed) * 0.25 + 0.5
    }
    let channels = precision == .tf32 ? 1 : 3
    // More pixels than a tile has.
    let inputs = [
      positive([2, channels, 4, 24], seed: 1), positive([16, channels, 2, 2], seed: 2),
      numbers([16, 16, 2, 2], seed: 4) * 0.1, numbers([16]), positive([16], seed: 3),
    ]
    let (pixels, shape) = (inputs[0].elements, inputs[0].shape)
    for hasBias in [true, false] {
      let variables = Array(inputs[1...(hasBias ? 4 : 3)])
      try expectSame(variables, on: device, tolerance: tolerance) { x in
        let batch = Tensor(pixels, shape: shape).to(x[0].device)
        let data = x[0].tape.map { $0.input(batch) } ?? batch
        let bias = hasBias ? x[3] : nil
        let first = relu(try conv2d(data, weight: x[0], bias: bias, padding: 1))
        return try conv2d(first, weight: x[1], bias: x[2], padding: 1)
      }
    }
  }

  /// Weights are packed for the shape in which they are used.
  @Test func aWeightInAnotherShapeIsPackedAnew() throws {
    let device = try #require(Self.devices[.float32])
    // Both are packed in the same blocks.
    let inputs = [
      numbers([1, 16, 5, 6]), numbers([1, 48, 5, 6]), numbers([48, 16, 1, 1], seed: 2),
    ]
    try expectSame(inputs, on: device) { x in
      let first = try conv2d(x[0], weight: x[2])
      let second = try conv2d(x[1], weight: reshape(x[2], to: [16, 48, 1, 1]))
      return try reshape(first, to: [3, 16, 5, 6]) + second
    }
  }

  @Test func theSameBytesTwice() throws {
    for (precision, device) in Self.devices {
      let shape = precision == .float32 ? Self.shapes[0] : Self.small
      func gradients() throws -> [[Float]] {
        let tape = Tape()
        let x = [numbers(shape.x), numbers(shape.weight, seed: 2), numbers([shape.weight[0]])].map {
          tape.variable($0.to(device))
        }
        let y = try conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding)
        try tape.backward(sum(y * y))
        return try [y.elements] + x.map { try #require(tape.gradient(of: $0)).elements }
      }
      #expect(try gradients() == gradients())
    }
  }
}
