import Foundation
import Lab
import Synchronization
import TestSupport
import Testing

struct StorageTests {
  @Test func anOperationIsPutOffUntilItsResultIsWanted() {
    let operation = Doubling(Tensor([1, 2, 3]))
    let storage = Storage(count: 3, deferred: operation, on: Device.cpu.backend)
    let y = Tensor(shape: [3], storage: storage)
    _ = (y.shape, y.count, y.device)
    #expect(operation.times == 0)
    #expect(y.elements == [2, 4, 6])
    #expect(y == Tensor([2, 4, 6]))
    y.materialize()
    #expect(operation.times == 1)
    #expect(storage.deferred == nil)
  }

  @Test func threadsThatWantItAtOnceComputeItOnce() {
    let operation = Doubling(Tensor([1, 2, 3]))
    let storage = Storage(count: 3, deferred: operation, on: Device.cpu.backend)
    let results = Mutex([[Float]]())
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      let elements = Tensor(shape: [3], storage: storage).elements
      results.withLock { $0.append(elements) }
    }
    #expect(operation.times == 1)
    #expect(results.withLock { $0 } == Array(repeating: [2, 4, 6], count: 8))
  }

  @Test func aCopyOfAParameterStaysAsItIs() throws {
    let parameter = Parameter(Tensor([1, 2]))
    let before = parameter.value
    let view = try reshape(parameter.value, to: [2, 1])
    let adam = Adam([parameter], learningRate: 1)
    for step in 1...2 {
      let tape = Tape()
      try tape.backward(sum(parameter.on(tape)))
      let state = adam.state
      adam.step()
      #expect(before == Tensor([1, 2]))
      #expect(view == Tensor([1, 2], shape: [2, 1]))
      #expect(parameter.value != before)
      #expect(state[0]["exp_avg"] == Tensor(repeating: step == 1 ? 0 : 0.1, shape: [2]))
      parameter.clearGradient()
    }
  }

  @Test func whatNobodyElseHoldsIsChangedInPlace() throws {
    let parameter = Parameter(Tensor([1, 2]))
    let memory = ObjectIdentifier(parameter.value.storage.memory)
    let tape = Tape()
    let x = parameter.on(tape)
    try tape.backward(sum(relu(x)))
    SGD([parameter], learningRate: 1).step()
    // The tensor on the tape still refers to the old elements.
    #expect(x.detached == Tensor([1, 2]))
    #expect(ObjectIdentifier(parameter.value.storage.memory) != memory)
    let copied = ObjectIdentifier(parameter.value.storage.memory)
    SGD([parameter], learningRate: 1).step()
    #expect(ObjectIdentifier(parameter.value.storage.memory) == copied)
    #expect(parameter.value == Tensor([-1, 0]))
  }

  /// A training step must not copy the weights: nothing but the parameters refers to them by then.
  @Test(arguments: ["Adam", "SGD"])
  func aTrainingStepChangesWeightsInPlace(optimizer: String) throws {
    var options = CNN.Options.defaults
    (options.convDim, options.fcDim) = (8, 8)
    let model = CNN(
      DataConfig(inputDims: [1, 12, 12], outputDims: [1], mapping: ["a", "b"]), options)
    let optimizer: any Lab.Optimizer =
      optimizer == "Adam" ? Adam(model.parameters) : SGD(model.parameters, momentum: 0.9)
    let before = model.parameters.map { ObjectIdentifier($0.value.storage) }
    for _ in 0..<2 {
      optimizer.clearGradients()
      let tape = Tape()
      let logits = try model(tape.input(pattern([4, 1, 12, 12])))
      let loss = try crossEntropy(logits, IntTensor([0, 1, 1, 0]))
      try tape.backward(loss)
      optimizer.step()
      #expect(loss.item.isFinite && logits.count == 8)
    }
    #expect(model.parameters.map { ObjectIdentifier($0.value.storage) } == before)
  }

  /// A convolution keeps its transformed weights with the parameter's elements.
  @Test func aReshapedWeightConvolvesWithItsOwnElements() throws {
    let parameter = Parameter(pattern([16, 8, 3, 3], step: 5))
    let (x, y) = (pattern([1, 8, 8, 8]), pattern([1, 16, 8, 8]))
    let view = try reshape(parameter.value, to: [8, 16, 3, 3])
    let expected = try conv2d(y, weight: Tensor(view.elements, shape: view.shape), padding: 1)
    for weight in [parameter.value, view, parameter.value] {
      let images = weight.shape[1] == 8 ? x : y
      let plain = Tensor(weight.elements, shape: weight.shape)
      #expect(
        try conv2d(images, weight: weight, padding: 1) == conv2d(images, weight: plain, padding: 1))
    }
    let tape = Tape()
    try tape.backward(sum(parameter.on(tape)))
    SGD([parameter], learningRate: 1).step()
    #expect(try conv2d(y, weight: view, padding: 1) == expected)
  }

  @Test func viewsOfImagesHaveRowMajorElements() throws {
    // As a convolution writes them, with their channels last.
    let images = try conv2d(pattern([2, 3, 4, 4]), weight: pattern([5, 3, 1, 1], step: 5))
    let elements = images.elements
    let flat = try flatten(images)
    #expect(flat.elements == elements)
    let other = try reshape(flat, to: [2, 10, 2, 4])
    #expect(other.elements == elements)
    let kernel = pattern([8, 10, 1, 1], step: 3)
    #expect(
      try conv2d(other, weight: kernel)
        == conv2d(Tensor(elements, shape: [2, 10, 2, 4]), weight: kernel))
    #expect(
      try maxPool2d(other, size: 2) == maxPool2d(Tensor(elements, shape: [2, 10, 2, 4]), size: 2))
  }

  /// The features of flattened images are taken as they lie in memory; weights are in PyTorch's order
  /// whenever somebody looks.
  @Test func aLinearLayerBehindFlattenIsAsBefore() throws {
    let (kernel, x) = (pattern([8, 3, 3, 3], step: 5), pattern([4, 3, 6, 6]))
    let weights = [true, false].map { _ in
      [Parameter(pattern([5, 8 * 36], step: 7)), Parameter(pattern([5], step: 3))]
    }
    for isFlattened in [true, false] {
      let parameters = weights[isFlattened ? 0 : 1]
      let optimizer = Adam(parameters, learningRate: 0.01)
      for _ in 0..<3 {
        let tape = Tape()
        var y = try flatten(relu(conv2d(tape.input(x), weight: kernel, padding: 1)))
        // Copied elements are in row-major order.
        if !isFlattened { y = tape.input(Tensor(y.elements, shape: y.shape)) }
        y = try linear(y, weight: parameters[0].on(tape), bias: parameters[1].on(tape))
        try tape.backward(y, gradient: pattern(y.shape, step: 3))
        optimizer.step()
        optimizer.clearGradients()
      }
    }
    for (flattened, plain) in zip(weights[0], weights[1]) {
      try expectClose(flattened.value, plain.value.elements, tolerance: 1e-4)
    }
    #expect(weights[0][0].value.elements != pattern([5, 8 * 36], step: 7).elements)
  }

  @Test func twoModelsMayReadABatchAtOnce() throws {
    let x = pattern([4, 3, 8, 8])
    let kernels = [pattern([8, 3, 3, 3], step: 5), pattern([9, 3, 3, 3], step: 3)]
    let expected = try kernels.map { try conv2d(Tensor(x.elements, shape: x.shape), weight: $0) }
    for _ in 0..<50 {
      let batch = Batch(x: Tensor(x.elements, shape: x.shape), y: IntTensor([0, 0, 0, 0]))
      let wrong = Mutex(0)
      let shared = Sendables(kernels, expected)
      DispatchQueue.concurrentPerform(iterations: 4) { index in
        let y = try? conv2d(batch.x, weight: shared.kernels[index % 2])
        if y != shared.expected[index % 2] { wrong.withLock { $0 += 1 } }
      }
      #expect(wrong.withLock { $0 } == 0)
    }
  }
}

/// Tensors off the tape for several threads.
private final class Sendables: @unchecked Sendable {
  let kernels, expected: [Tensor]

  init(_ kernels: [Tensor], _ expected: [Tensor]) {
    (self.kernels, self.expected) = (kernels, expected)
  }
}

/// Twice the input.
private final class Doubling: DeferredOperation, @unchecked Sendable {
  private let input: Tensor
  private let count = Mutex(0)

  init(_ input: Tensor) { self.input = input }

  var times: Int { count.withLock { $0 } }

  func compute() -> Tensor {
    count.withLock { $0 += 1 }
    return Tensor(input.elements.map { 2 * $0 })
  }

  func fused(with activation: Activation) -> Tensor? { nil }
}
