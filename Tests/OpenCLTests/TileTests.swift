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

  /// Shapes of images and weights whose channels are multiples of 16, with paddings. PoCL compiles the
  /// instructions' stand-ins slowly, so few are computed in the lower precisions.
  static let shapes: [(x: [Int], weight: [Int], padding: Int)] = [
    ([2, 16, 9, 11], [16, 16, 3, 3], 1), ([1, 32, 14, 14], [64, 32, 3, 3], 1),
    ([2, 64, 7, 7], [64, 64, 3, 3], 1), ([1, 16, 5, 30], [48, 16, 3, 3], 0),
    ([1, 80, 6, 9], [32, 80, 2, 2], 1), ([1, 32, 8, 8], [16, 32, 5, 5], 2),
    ([2, 48, 6, 5], [32, 48, 1, 1], 0),
  ]

  @Test(arguments: precisions) func tilesAreConvolutions(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    for shape in precision == .float32 ? Self.shapes : Array(Self.shapes[3...4]) {
      let inputs = [numbers(shape.x), numbers(shape.weight, seed: 2), numbers([shape.weight[0]])]
      try expectSame(inputs, on: device, tolerance: tolerance) { x in
        try conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding)
      }
    }
  }

  /// Masks of ReLU and maxima flip where rounding changes a sign or an order, so only the forward pass
  /// is compared in the lower precisions.
  @Test(arguments: precisions) func whatFollowsIsComputedWithThem(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    for shape in Self.shapes.prefix(precision == .float32 ? 4 : 1) {
      let inputs = [numbers(shape.x), numbers(shape.weight, seed: 2), numbers([shape.weight[0]])]
      for drops in [false, true] {
        try expectSame(
          inputs, on: device, tolerance: tolerance, gradients: precision == .float32
        ) { x in
          let y = try maxPool2d(
            relu(conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding)), size: 2)
          return drops ? dropout(y, probability: 0.3, generator: Generator(seed: 4)) : y
        }
      }
      try expectSame(
        inputs, on: device, tolerance: tolerance, gradients: precision == .float32
      ) { x in relu(try conv2d(x[0], weight: x[1], bias: x[2], padding: shape.padding)) }
    }
  }

  /// A first convolution of few inputs is computed inside the kernels of the next one. All numbers are
  /// far from 0, so that no mask flips.
  @Test(arguments: precisions) func aConvolutionInFrontIsComputedWithThem(
    _ precision: GPUPrecision, _ tolerance: Float
  ) throws {
    let device = try #require(Self.devices[precision])
    func positive(_ shape: [Int], seed: UInt64) -> Tensor {
      numbers(shape, seed: seed) * 0.25 + 0.5
    }
    for (channels, size) in [(1, [9, 30]), (3, [6, 7])] {
      let inputs = [
        positive([2, channels] + size, seed: 1), positive([32, channels, 3, 3], seed: 2),
        positive([32], seed: 3), numbers([16, 32, 3, 3], seed: 4) * 0.1, numbers([16]),
      ]
      let (pixels, shape) = (inputs[0].elements, inputs[0].shape)
      try expectSame(Array(inputs.dropFirst()), on: device, tolerance: tolerance) { x in
        let batch = Tensor(pixels, shape: shape).to(x[0].device)
        let data = x[0].tape.map { $0.input(batch) } ?? batch
        let first = relu(try conv2d(data, weight: x[0], bias: x[1], padding: 1))
        return try conv2d(first, weight: x[2], bias: x[3], padding: 1)
      }
    }
  }

  @Test func theSameBytesTwice() throws {
    for device in Self.devices.values {
      func gradients() throws -> [[Float]] {
        let tape = Tape()
        let x = [numbers([2, 32, 9, 9]), numbers([32, 32, 3, 3], seed: 2)].map {
          tape.variable($0.to(device))
        }
        let y = try maxPool2d(relu(conv2d(x[0], weight: x[1], padding: 1)), size: 2)
        try tape.backward(sum(y))
        return try [y.elements] + x.map { try #require(tape.gradient(of: $0)).elements }
      }
      #expect(try gradients() == gradients())
    }
  }
}
