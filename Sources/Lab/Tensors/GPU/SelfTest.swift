import Foundation
import LabRandom
import OpenCLKernels

/// Compares a device's results with the processor's, before the device is used: a driver that
/// compiles a kernel wrongly would otherwise only be noticed by networks that learn nothing.
///
/// Most of its time goes into compiling. It is done once for each device, driver and version of the
/// kernels: that they have passed is written into the user's folder for caches.
package enum SelfTest {
  /// The largest difference that a precision may have, relative to the root of the sum of squares.
  /// TF32 rounds factors to 2⁻¹¹, bfloat16 to 2⁻⁸; devices that compute right differ by a quarter
  /// of this or less.
  package static func tolerance(_ precision: GPUPrecision) -> Double {
    switch precision {
    case .float32: 2e-5
    case .tf32: 2e-3
    case .bf16: 1.5e-2
    }
  }

  private typealias Case = (name: String, compute: (Device) throws(ShapeError) -> [Tensor])

  /// The tests: each gives results and gradients on a device.
  private static var cases: [Case] {
    [
      ("convolution", convolution), ("strided convolution", stridedConvolution),
      ("first convolution", firstConvolution), ("linear layer", linearLayer),
      ("cross-entropy", loss),
    ]
  }

  /// The first test that a device fails, in words; nil if it passes them all.
  ///
  /// - Parameters:
  ///   - device: The device.
  ///   - tolerance: The largest relative difference.
  /// - Throws: ``GPUError`` if the device fails altogether.
  package static func failure(of device: Device, tolerance: Double) throws(GPUError) -> String? {
    for (name, compute) in cases {
      guard let expected = try? compute(.cpu), let results = try? compute(device) else {
        preconditionFailure("the shapes of the self-test fit")
      }
      for (result, right) in zip(results, expected) {
        let difference = distance(result.to(.cpu).elements, right.elements)
        try device.check()
        // A NaN is no small number either.
        guard difference <= tolerance else {
          let text = String(format: "%.1e", difference)
          return "\(name): results differ from the processor's by \(text)"
        }
      }
    }
    return nil
  }

  /// `‖a − b‖ / ‖b‖`.
  private static func distance(_ a: [Float], _ b: [Float]) -> Double {
    let (difference, size) = zip(a, b).reduce((0.0, 0.0)) { sums, pair in
      let (x, y) = (Double(pair.0), Double(pair.1))
      return (sums.0 + (x - y) * (x - y), sums.1 + y * y)
    }
    return (difference / size).squareRoot()
  }

  // MARK: What is computed

  private static func numbers(
    _ shape: [Int], seed: UInt64, _ range: Range<Float> = -1..<1
  ) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor(
      Generator(seed: seed).uniform(count: count, range.lowerBound, range.upperBound), shape: shape)
  }

  /// The result of an operation and its gradients, for a gradient of the result that is not uniform.
  private static func results(
    of inputs: [Tensor], on device: Device,
    _ operation: ([Tensor]) throws(ShapeError) -> Tensor
  ) throws(ShapeError) -> [Tensor] {
    let tape = Tape()
    let variables = inputs.map { tape.variable($0.to(device)) }
    let y = try operation(variables)
    let result = y.detached
    try tape.backward(y, gradient: numbers(y.shape, seed: 9).to(device))
    return [result] + variables.compactMap { tape.gradient(of: $0) }
  }

  private static func convolution(on device: Device) throws(ShapeError) -> [Tensor] {
    let inputs = [
      numbers([3, 64, 14, 14], seed: 1), numbers([64, 64, 3, 3], seed: 2), numbers([64], seed: 3),
    ]
    return try results(of: inputs, on: device) { x throws(ShapeError) in
      try conv2d(x[0], weight: x[1], bias: x[2], padding: 1)
    }
  }

  private static func stridedConvolution(on device: Device) throws(ShapeError) -> [Tensor] {
    let inputs = [numbers([3, 32, 13, 15], seed: 1), numbers([48, 32, 3, 3], seed: 2)]
    return try results(of: inputs, on: device) { x throws(ShapeError) in
      try conv2d(x[0], weight: x[1], stride: 2, padding: 1)
    }
  }

  /// Two convolutions that are computed together. All results are far above 0: rectifiers that differ
  /// for a rounded number would be larger differences than those which matter here.
  private static func firstConvolution(on device: Device) throws(ShapeError) -> [Tensor] {
    let inputs = [
      numbers([2, 1, 28, 28], seed: 1, 0..<1), numbers([64, 1, 3, 3], seed: 2, 0..<1),
      numbers([64], seed: 3, 1..<2), numbers([64, 64, 3, 3], seed: 4, 0..<1),
      numbers([64], seed: 5, 1..<2),
    ]
    return try results(of: inputs, on: device) { x throws(ShapeError) in
      let hidden = relu(try conv2d(x[0], weight: x[1], bias: x[2], padding: 1))
      return relu(try conv2d(hidden, weight: x[3], bias: x[4], padding: 1))
    }
  }

  private static func linearLayer(on device: Device) throws(ShapeError) -> [Tensor] {
    let inputs = [
      numbers([37, 784], seed: 1), numbers([130, 784], seed: 2), numbers([130], seed: 3),
    ]
    return try results(of: inputs, on: device) { x throws(ShapeError) in
      try linear(x[0], weight: x[1], bias: x[2])
    }
  }

  private static func loss(on device: Device) throws(ShapeError) -> [Tensor] {
    let labels = IntTensor((0..<37).map { $0 * 5 % 83 })
    return try results(of: [numbers([37, 83], seed: 1)], on: device) { x throws(ShapeError) in
      try crossEntropy(x[0], labels)
    }
  }

  // MARK: Once for each driver

  /// The first test that a device fails, in words; nil if it passes them all, now or before. Drivers
  /// for the processor are not tested: they serve tests, which compare more than this. With the
  /// environment variable `LAB_OPENCL_SELF_TEST=0` nothing is tested.
  ///
  /// - Throws: ``GPUError`` if the device fails altogether.
  package static func failureOnce(of backend: OpenCLBackend) throws(GPUError) -> String? {
    guard backend.queue.device.isGPU,
      ProcessInfo.processInfo.environment["LAB_OPENCL_SELF_TEST"] != "0"
    else { return nil }
    let name = "self-test, \(backend.precision.rawValue)"
    guard !backend.queue.hasPassed(name) else { return nil }
    let failure = try failure(of: Device(backend), tolerance: tolerance(backend.precision))
    if failure == nil { backend.queue.notePassed(name) }
    return failure
  }
}

extension OpenCLBackend {
  /// A backend that has passed its self-test. If tensor cores do not pass it, and nobody has asked for
  /// them, the one that computes without.
  ///
  /// - Parameters:
  ///   - device: The device.
  ///   - precision: How products are computed.
  ///   - isReplaceable: Whether 32-bit floats will do as well.
  ///   - note: Why this is not the precision that the device has by default.
  ///   - failure: What the self-test finds.
  /// - Throws: ``GPUError`` if the device does not pass the test.
  package static func tested(
    _ device: OpenCLDevice, _ precision: GPUPrecision, isReplaceable: Bool, note: String? = nil,
    failure: (OpenCLBackend) throws(GPUError) -> String? = SelfTest.failureOnce
  ) throws(GPUError) -> OpenCLBackend {
    let backend = try OpenCLBackend(device, precision: precision, note: note)
    guard let found = try failure(backend) else { return backend }
    guard precision == .float32 || !isReplaceable else {
      return try tested(
        device, .float32, isReplaceable: false,
        note: "\(precision.rawValue) failed its self-test: \(found)", failure: failure)
    }
    throw GPUError(
      "\(device.name), driver \(device.driver), computes wrong results with --precision="
        + "\(precision.rawValue) (\(found)); install another driver, or use --gpus=0")
  }
}
