import Lab
import LabTensors
import LabTraining
import Testing

@Suite(.needsOpenCL) struct OptimizersTests {
  /// More tensors than one launch takes, of sizes around those of vectors and of groups.
  static let shapes =
    [[1], [2], [3, 1], [1023], [1024], [1025], [0], [], [5, 7, 3, 3], [20_003]]
    + (0..<30).map { [$0 * 37 + 5] }

  /// Gradients of all tensors, which are taken in turn.
  static let gradients = (0..<3).map { turn in
    shapes.enumerated().map { numbers($1, seed: UInt64(100 * turn + $0)).elements }
  }

  /// The values, and the optimizer's state, after ten steps.
  private func train(
    on device: Device, images: Bool = false, _ make: ([Parameter]) -> any Optimizer
  ) throws -> [Tensor] {
    let parameters = Self.shapes.enumerated().map {
      Parameter(numbers($1, seed: UInt64($0 + 1)).to(device))
    }
    let copies = parameters.map { ($0.value, $0.value.elements) }
    let optimizer = make(parameters)
    for step in 0..<10 {
      if images, device.isGPU {
        for parameter in parameters where parameter.shape.count == 4 {
          parameter.value.preferChannelsLast()
        }
      }
      for (index, parameter) in parameters.enumerated() {
        parameter.clearGradient()
        // One of them has no gradient at first, so that their numbers of steps differ.
        guard index != 4 || step > 2 else { continue }
        let tape = Tape()
        let gradient = Tensor(Self.gradients[step % 3][index], shape: parameter.shape)
        try tape.backward(parameter.on(tape) * Float(step + 1), gradient: gradient.to(device))
      }
      optimizer.step()
    }
    // Optimizers change no copies.
    for (value, elements) in copies { #expect(value.elements == elements) }
    try device.check()
    return parameters.map { $0.value.to(.cpu) }
      + optimizer.state.flatMap { state in
        state.keys.sorted().compactMap { state[$0]?.to(.cpu) }
      }
  }

  private func expectSameSteps(_ make: ([Parameter]) -> any Optimizer) throws {
    let device = try #require(OpenCL.device)
    let expected = try train(on: .cpu, make)
    for images in [false, true] {
      let got = try train(on: device, images: images, make)
      #expect(got.count == expected.count)
      for (a, b) in zip(got, expected) { expectClose(a, b, 1e-6, "images \(images)") }
    }
    let (first, second) = (try train(on: device, make), try train(on: device, make))
    #expect(first == second)
  }

  @Test func adam() throws {
    try expectSameSteps { Adam($0, learningRate: 1e-2) }
    try expectSameSteps { Adam($0, learningRate: 1e-2, weightDecay: 0.1) }
  }

  @Test func adamW() throws {
    try expectSameSteps { AdamW($0, learningRate: 1e-2) }
  }

  @Test func gradientDescent() throws {
    try expectSameSteps { SGD($0, learningRate: 1e-2) }
    try expectSameSteps { SGD($0, learningRate: 1e-2, momentum: 0.9, weightDecay: 0.1) }
    try expectSameSteps { SGD($0, learningRate: 1e-2, momentum: 0.9, nesterov: true) }
  }
}
