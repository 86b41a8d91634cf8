import Lab
import TestSupport
import Testing

/// What follows a convolution is computed with it. That must change nothing but the time.
struct DeferredConvolutionTests {
  /// Channels in and out, and the size of the images: one that is pooled whole and one that is not.
  static let sizes = [(8, 8, 8), (16, 9, 7), (3, 2, 5)]

  @Test(arguments: sizes)
  func fusedIsAsOneAfterTheOther(inputs: Int, outputs: Int, size: Int) throws {
    let tensors = [
      pattern([3, inputs, size, size]), pattern([outputs, inputs, 3, 3], step: 5),
      pattern([outputs], step: 3),
    ]
    for operations in 1...3 {
      let results = try [true, false].map { isFused in
        try gradients(of: tensors) { x throws(ShapeError) in
          var y = try conv2d(x[0], weight: x[1], bias: x[2], padding: 1)
          if !isFused { y.materialize() }
          y = relu(y)
          if !isFused { y.materialize() }
          if operations > 1 { y = try maxPool2d(y, size: 2) }
          if !isFused { y.materialize() }
          return operations > 2
            ? dropout(y, probability: 0.5, generator: Generator(seed: 1)) : y
        }
      }
      #expect(results[0].y.shape == results[1].y.shape)
      try expectClose(results[0].y, results[1].y.elements, tolerance: 1e-5)
      for (fused, plain) in zip(results[0].gradients, results[1].gradients) {
        try expectClose(fused, try #require(plain).elements, tolerance: 1e-5)
      }
    }
  }

  @Test func pixelsThatAreUsedTwiceGetBothGradients() throws {
    let (x, weight) = (pattern([2, 8, 6, 6]), pattern([8, 8, 3, 3], step: 5))
    try checkGradients(of: [x, weight], tolerance: 2e-3) { tensors throws(ShapeError) in
      let y = try conv2d(tensors[0], weight: tensors[1], padding: 1)
      return try y + y
    }
  }

  /// The convolution in front is computed inside the second one, unless it has been computed before.
  @Test(arguments: [false, true])
  func theConvolutionInFrontMayBeComputedOrNot(isComputed: Bool) throws {
    let inputs = [pattern([2, 1, 9, 9]), pattern([8, 1, 3, 3], step: 5), pattern([8, 8, 3, 3])]
    let weights = inputs.dropFirst().map(Parameter.init)
    let tape = Tape()
    var x = relu(try conv2d(tape.input(inputs[0]), weight: weights[0].on(tape), padding: 1))
    if isComputed { x.materialize() }
    x = try conv2d(x, weight: weights[1].on(tape), padding: 1)
    try tape.backward(x, gradient: pattern(x.shape, step: 3))
    let expected = try gradients(of: inputs) { inputs throws(ShapeError) in
      let y = relu(try conv2d(inputs[0], weight: inputs[1], padding: 1)).materialize()
      return try conv2d(y, weight: inputs[2], padding: 1)
    }
    try expectClose(x, expected.y.elements, tolerance: 1e-5)
    for (weight, gradient) in zip(weights, expected.gradients.dropFirst()) {
      try expectClose(weight.gradient, try #require(gradient).elements, tolerance: 1e-4)
    }
  }

  @Test func gradientsOfPixelsThatNobodyReadAreRight() throws {
    let inputs = [pattern([2, 8, 8, 8]), pattern([8, 8, 3, 3], step: 5)]
    let results = try [true, false].map { isRead in
      let tape = Tape()
      let x = inputs.map(tape.variable)
      let y = try maxPool2d(relu(conv2d(x[0], weight: x[1], padding: 1)), size: 2)
      if isRead { y.materialize() }
      try tape.backward(y, gradient: pattern(y.shape, step: 3))
      return x.map { tape.gradient(of: $0) }
    }
    #expect(results[0] == results[1])
  }

  @Test func aStepOfTheOptimizerDoesNotReachBack() throws {
    let weight = Parameter(pattern([8, 8, 3, 3], step: 5))
    let x = pattern([1, 8, 4, 4])
    let expected = try conv2d(x, weight: weight.value, padding: 1).elements
    let tape = Tape()
    let pending = try conv2d(tape.input(x), weight: weight.on(tape), padding: 1)
    let other = try conv2d(tape.input(x), weight: weight.on(tape), padding: 1)
    try tape.backward(sum(other))
    SGD([weight], learningRate: 1).step()
    #expect(pending.elements == expected)
    #expect(try conv2d(x, weight: weight.value, padding: 1).elements != expected)
  }
}
