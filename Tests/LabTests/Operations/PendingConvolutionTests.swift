import Lab
import Testing

/// What follows a convolution is computed along with it; that must change nothing but the time.
struct PendingConvolutionTests {
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
          // Looking at the pixels ends the waiting.
          if !isFused { _ = y.elements }
          y = relu(y)
          if !isFused { _ = y.elements }
          if operations > 1 { y = try maxPool2d(y, size: 2) }
          if !isFused { _ = y.elements }
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
