import Foundation
import Lab
import LabTensors
import OpenCLKernels
import Testing

/// The OpenCL device on which the tests compute: the one that `LAB_OPENCL_DEVICE` names, or a driver
/// for the processor, such as PoCL.
enum OpenCL {
  static let device: Device? = {
    let choice = ProcessInfo.processInfo.environment[OpenCLDevice.variable] ?? "cpu"
    guard let device = try? OpenCLDevice.chosen(by: choice),
      let backend = try? OpenCLBackend(device, precision: .float32)
    else { return nil }
    return Device(backend)
  }()
}

extension Trait where Self == ConditionTrait {
  /// Skips a test on machines without an OpenCL driver.
  static var needsOpenCL: Self {
    .enabled(
      if: OpenCL.device != nil, "no OpenCL driver; on Debian: apt-get install pocl-opencl-icd")
  }
}

typealias Operation = @Sendable ([Tensor]) throws -> Tensor

/// Numbers of both signs without a pattern, the same in every run, and none equal to another.
func numbers(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
  let generator = Generator(seed: seed)
  return uniform(shape, -1..<1, generator)
}

private func uniform(_ shape: [Int], _ range: Range<Float>, _ generator: Generator) -> Tensor {
  let count = shape.reduce(1, *)
  let width = range.upperBound - range.lowerBound
  return Tensor(
    (0..<count).map { _ in
      range.lowerBound + width * Float(generator.word64() >> 40) / Float(1 << 24)
    }, shape: shape)
}

/// Expects that an operation and its gradients are the same on the device as on the processor.
///
/// - Parameters:
///   - inputs: The operation's inputs; gradients are taken by all of them.
///   - device: The device, by default that of the tests.
///   - tolerance: The largest difference, relative to the largest magnitude of a result.
///   - gradients: Whether gradients are computed and compared as well.
func expectSame(
  _ inputs: [Tensor], on device: Device? = OpenCL.device, tolerance: Float = 1e-5,
  gradients: Bool = true, sourceLocation: SourceLocation = #_sourceLocation,
  _ operation: Operation
) throws {
  let device = try #require(device, sourceLocation: sourceLocation)
  func compute(on device: Device) throws -> (y: Tensor, gradients: [Tensor?]) {
    let tape = Tape()
    let variables = inputs.map { tape.variable($0.to(device)) }
    let y = try operation(variables)
    #expect(y.device == device, sourceLocation: sourceLocation)
    let dy = numbers(y.shape, seed: 7).to(device)
    if gradients, y.needsGradient { try tape.backward(y, gradient: dy) }
    let result = (y.detached.to(.cpu), variables.map { tape.gradient(of: $0)?.to(.cpu) })
    try device.check()
    return result
  }
  let expected = try compute(on: .cpu)
  let got = try compute(on: device)
  expectClose(got.y, expected.y, tolerance, "the result", sourceLocation)
  guard gradients else { return }
  for (index, pair) in zip(got.gradients, expected.gradients).enumerated() {
    guard let b = pair.1 else {
      #expect(pair.0 == nil, "gradient \(index)", sourceLocation: sourceLocation)
      continue
    }
    let a = try #require(pair.0, "gradient \(index)", sourceLocation: sourceLocation)
    expectClose(a, b, tolerance, "gradient \(index)", sourceLocation)
  }
}

/// Expects equal shapes, and elements that differ by no more than a share of the largest magnitude.
/// NaN and infinity must be in the same places.
func expectClose(
  _ a: Tensor, _ b: Tensor, _ tolerance: Float, _ name: String,
  _ sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(a.shape == b.shape, "\(name)", sourceLocation: sourceLocation)
  let (x, y) = (a.elements, b.elements)
  guard x.count == y.count else { return }
  let largest = y.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
  let wrong = x.indices.filter {
    if y[$0].isNaN { return !x[$0].isNaN }
    if y[$0].isInfinite { return x[$0] != y[$0] }
    return !(abs(x[$0] - y[$0]) <= tolerance * max(largest, 1e-30))
  }
  guard let first = wrong.first else { return }
  Issue.record(
    "\(name), shape \(b.shape): \(wrong.count) elements differ, the first at \(first): got \(x[first]), expected \(y[first]), largest \(largest)",
    sourceLocation: sourceLocation)
}
